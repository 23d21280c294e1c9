import { dirname } from 'node:path';
import type { Situation } from '../diagnose/situation.ts';
import type { Verdict } from '../diagnose/verdicts.ts';
import { hostOf } from '../machine/etcd/etcd-config.ts';
import type { Language } from '../words/words.ts';
import { fillIn } from './fill-in.ts';
import { recovery as texts } from './texts.json';

/**
 * How a person brings a cluster without a quorum back: what is known here of whose data are the newest, and what to do in
 * which order, with the commands. heal-node does nothing of it. Pure.
 * @param env etcd's environment file
 * @returns undefined where there is a quorum, or where this node is a cluster of its own
 */
export function recovery(s: Situation, verdict: Verdict, env: string, language: Language = 'en') {
  const { config, cluster, observed, examination, owner, unit, process } = s;
  const lost = verdict === 'quorum-lost' || verdict === 'amnesia';
  const served = cluster.knowsLeader || cluster.hasQuorumWithoutSelf;
  if (config === undefined || served || !lost || observed.others.length === 0) return undefined;
  const { tls, clientUrl, dataDir, walDir, separateWalDir } = config;
  const { kind, brokenOff, commit = 0n, applied = 0n } = examination ?? {};
  // Of a log that is too short what the database has applied is known to be committed. One that is damaged, or breaks off,
  // may have committed more, and is no source all the same.
  const raftIndex = kind !== 'whole' || brokenOff ? -1n : applied > commit ? applied : commit;
  const here = { endpoint: '', host: hostOf(clientUrl), raftIndex, clusterId: '' };
  const others = observed.others.map(({ endpoint, reply }) => ({
    ...{ endpoint, host: hostOf(endpoint), answers: reply.ok, raftIndex: -1n, clusterId: '' },
    ...(reply.ok && reply.value),
  }));
  const isOurs = (clusterId: string): boolean => ['', owner?.clusterId ?? clusterId].includes(clusterId);
  const newest = [here, ...others]
    .filter(({ clusterId }) => isOurs(clusterId))
    .reduce((most, each) => (each.raftIndex > most.raftIndex ? each : most));
  const heard = others.filter(({ answers, clusterId }) => answers && isOurs(clusterId));
  const silent = (owner !== undefined && !examination?.logRead) || heard.length < others.length;
  const voters = [...(s.self?.members ?? []), ...cluster.known].filter(({ isLearner }) => !isLearner);
  const total = new Set(voters.map(({ id }) => id)).size || others.length + 1;
  const quorum = Math.floor(total / 2) + 1;
  const up = others.filter(({ answers }) => answers).length + (process === 'alive' ? 1 : 0);
  const program = unit?.program || '/opt/etcd/current/etcd';
  const etcdctl = `ETCDCTL_API=3 ${dirname(program)}/etcdctl`;
  const flags = tls ? ` --cacert=${tls.ca} --cert=${tls.cert} --key=${tls.key}` : '';
  const named = observed.app.ok ? observed.app.value.hosts : [];
  const facts = {
    ...{ env, dataDir, examination, owner, others, newest, silent, total, quorum, program, etcdctl },
    missing: Math.max(1, quorum - up),
    tooMany: total - quorum + 1,
    ...{ newestHere: newest === here, hasNewest: newest.raftIndex >= 0n },
    // The app goes by addresses, also where members are called by names.
    source: silent ? 'ADDRESS' : (named.find(({ name }) => name === newest.host)?.ip ?? newest.host),
    ...{ walDir, wal: separateWalDir ? ` --wal-dir=${walDir}` : '' },
    ask: `${etcdctl} --endpoints=$ETCD_ADVERTISE_CLIENT_URLS${flags}`,
  };
  const fill = (text: string): string => fillIn([text], facts).join(' ');
  const words = texts[language];
  // What overwrites the data of others is told only where those of whom nothing is known, silent or not even called, are too
  // few to be a quorum: they may serve, and be cut off from here.
  const peers = observed.host?.ok ? observed.host.value.peers : [];
  const refused = peers.filter(({ reach }) => reach === 'refused').map(({ url }) => hostOf(url));
  const known = others.filter(({ answers, host }) => answers || refused.includes(host)).length;
  const reached = total - 1 - known < quorum;
  const steps = words.steps.slice(0, reached ? undefined : 3).map((what, i) => ({
    what: fill(what),
    commands: fillIn(texts.commands[i] ?? [], facts),
  }));
  return { here: fill(texts.here), newest: `${fill(words.newest)}${reached ? '' : words.unreached}`, steps };
}
