import type { Member } from '../cluster/cluster.ts';
import type { Listener } from '../machine/os/network.ts';
import {
  allOf,
  clusterEvidence,
  dataEvidence,
  ev,
  healthEvidence,
  journalEvidence,
  listEvidence,
  peerEvidence,
  processEvidence,
  type Shown,
  settingsEvidence,
  unitEvidence,
} from './evidence.ts';
import { listens, localFaults } from './local-faults.ts';
import { isLogShort, panicOfShortLog } from './log-words.ts';
import type { Situation } from './situation.ts';
import { staleProofs } from './stale-proofs.ts';
import type { Reason, Response, Verdict } from './verdicts.ts';

export interface Rule {
  /** What the health action does in this very case, where it is not what it does with the verdict. */
  readonly response?: Response;
  /** Whether it holds: what evidence it alone has, or just that it does. Anything falsy: it does not. */
  readonly when: (s: Situation) => Shown | true;
  /** The evidence that is shown with it, one after the other. */
  readonly shows: readonly ((s: Situation) => Shown)[];
}

const listedAs = (member?: Member): Shown =>
  member &&
  ev('others', 'member list of the others', `${member.id} is ${member.name} at ${member.peerUrls.join(',')}`);

const foreignMember = ({ foreign }: Situation): Shown => listedAs(foreign?.member);

const servedElsewhere = ({ foreign }: Situation): Shown => {
  const urls = foreign?.member.peerUrls.join(',');
  const said = `serves as ${foreign?.member.id} (${urls}), whose data these are`;
  return foreign?.servedBy && ev('others', foreign.servedBy, said);
};

const runsAs = ({ self, config, otherCluster }: Situation): Shown =>
  self && ev('member', `${config?.clientUrl}`, `runs as ${self.memberId} of cluster ${otherCluster}`);

const ownPeerUrls = ({ config }: Situation): Shown =>
  ev('config', 'settings of etcd', `peer URLs ${config?.peerUrls.join(',')}`);

const deepCheckEvidence = ({ observed: { divergence } }: Situation): Shown =>
  ev('data', 'deep check', divergence?.text ?? '');

const swapEvidence = ({ observed: { swap } }: Situation): Shown => {
  const traces = `etcd unit: ${swap.unitFile}; copied unit: ${swap.copyUnitFile}; copied environment: ${swap.copyEnv ? 'there' : 'none'}${swap.pointsAway ? '; the unit still reads the copied environment' : ''}`;
  return ev('swap', 'units and environment', traces);
};

const words = (s: Situation): Shown => s.words.map((word) => journalEvidence(s, word));
const lastWord = (s: Situation): Shown => s.words.slice(-1).map((word) => journalEvidence(s, word));

const panicEvidence = (s: Situation): Shown => {
  const word = panicOfShortLog(s);
  return word && journalEvidence(s, word);
};

/** What could not be looked at, or does not answer well, and an etcd that systemd does not know. */
const unanswered = (s: Situation): Shown => {
  const { health, log, host } = s.observed;
  const stray = (each: Listener) => ev('host', ...listens(each));
  return allOf(
    health.state !== 'true' && healthEvidence(s),
    !log.ok && ev('log', 'journal', log.why),
    host && (host.ok ? host.value.strayEtcds.map(stray) : ev('host', 'this machine', host.why)),
  );
};

/**
 * The member can be stale only while the others serve without it and agree, it does not serve, and systemd and this
 * machine could be looked at: what is out of reach might be a fault that a fresh member would meet again.
 */
const maySayStale = (s: Situation, whileStarting = false): boolean =>
  s.cluster.hasQuorumWithoutSelf &&
  !s.servesAsOwn &&
  s.config !== undefined &&
  s.observed.log.ok &&
  s.observed.host?.ok === true &&
  (s.process === 'dead' || (whileStarting && s.process === 'alive' && s.unit?.active === 'activating'));

/** None of the others' peer ports can be reached, and not because nobody listens there. */
const cutOff = ({ observed: { host } }: Situation): boolean =>
  host?.ok === true &&
  host.value.peers.length > 0 &&
  host.value.peers.every(({ reach }) => reach === 'silent') &&
  (!host.value.linkUp || host.value.peers.some(({ neighbour }) => neighbour));

/** An election takes a second or two; who has been without a quorum for longer waits for the others. */
const START_ALONE_MS = 30_000;

/**
 * It has been a member, and finds no quorum since it was started: its process is busy asking for votes, again and
 * again until systemd starts it anew (`TimeoutStartSec=`), and would be on its way up for ever. One that has just been
 * started may be about to crash, and is looked at again.
 */
const waitsForQuorum = ({ cluster, observed, unit }: Situation): boolean =>
  !cluster.hasQuorumWithoutSelf &&
  observed.mark.wasMember &&
  unit !== undefined &&
  observed.atMs - unit.startedAtSec * 1000 > START_ALONE_MS;

/**
 * The unit is back, and the app's start, which was to write etcd.env anew, was cut off: the app's restart writes it, and
 * the heal can be taken up.
 */
const isEnvTorn = ({ config, observed: { app, swap } }: Situation): boolean =>
  app.ok && !config?.initialCluster.length && swap.unitFile === 'file' && swap.copyUnitFile === 'none';

/** A rule for each row of another table, under the verdict and the name of that row. */
const withReasons = <T>(verdict: Verdict, rows: Readonly<Record<string, T>>, ruleOf: (row: T) => Rule) =>
  Object.fromEntries(Object.entries(rows).map(([id, row]) => [`${verdict}/${id}`, ruleOf(row)]));

/**
 * From evidence to verdict, the first that holds. What stands higher beats what stands lower. Each by its reason, a stable
 * code; what that means, and what a person should do, stands in src/words/catalogue.json.
 */
export const rules: Readonly<Record<Reason, Rule>> = {
  'healing/swapped': {
    when: (s) => s.swapped && !isEnvTorn(s),
    shows: [swapEvidence, unitEvidence, dataEvidence, listEvidence],
  },
  'local-fault/disk-not-mounted': {
    response: 'nothing',
    when: ({ observed: { host }, process }) =>
      host?.ok &&
      host.value.diskNotMounted !== '' &&
      process !== 'alive' &&
      ev('host', 'file systems', host.value.diskNotMounted),
    shows: [],
  },
  'local-fault/certificates-missing': {
    response: 'nothing',
    when: (s) =>
      s.certificatesMissing !== undefined &&
      !s.servesAsOwn &&
      // Lost with the data they come back with the heal; without a quorum of others that is not known yet.
      !(s.certificatesToBring && (s.provenStale || !s.cluster.hasQuorumWithoutSelf)) &&
      ev('host', 'certificates', s.certificatesMissing),
    shows: [dataEvidence, unitEvidence],
  },
  'amnesia/ahead': {
    when: (s) =>
      s.ahead && s.cluster.hasQuorumWithoutSelf && !s.otherCluster && (!s.servesAsOwn || s.diverged),
    shows: [dataEvidence, clusterEvidence],
  },
  'amnesia/other-birthmark': {
    when: (s) =>
      s.birthmarkMismatch &&
      s.cluster.hasQuorumWithoutSelf &&
      !s.servesAsOwn &&
      ev('others', 'birthmark', s.birthmarkMismatch),
    shows: [dataEvidence, clusterEvidence],
  },
  'local-fault/other-cluster': {
    when: (s) => s.otherCluster !== undefined && s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, runsAs, clusterEvidence],
  },
  'local-fault/peer-url-changed': {
    when: ({ cluster: { renamed, hasQuorumWithoutSelf }, servesAsOwn, foreign }) =>
      hasQuorumWithoutSelf && !servesAsOwn && foreign === undefined && listedAs(renamed),
    shows: [ownPeerUrls, dataEvidence],
  },
  'stale/clone': {
    when: (s) => s.foreign?.servedBy !== undefined && s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, servedElsewhere, unitEvidence, listEvidence],
  },
  'local-fault/other-member': {
    // Started while the others do not answer in time, it would speak in that member's name: the gate could not know.
    response: 'nothing',
    when: (s) => s.foreign !== undefined,
    shows: [dataEvidence, foreignMember, clusterEvidence],
  },
  'stale/diverged': {
    when: (s) => s.diverged && s.cluster.hasQuorumWithoutSelf && s.cluster.own !== undefined,
    shows: [deepCheckEvidence, unitEvidence, listEvidence, clusterEvidence],
  },
  'alarmed/raised': {
    when: ({ self, cluster, observed: { health } }) => {
      if (self === undefined || health.state === 'true') return undefined;
      const alarms = [...self.alarms, ...cluster.alarms];
      // NOSPACE stops writes only; CORRUPT stops reads too (etcdserver/apply.go, applierV3Corrupt).
      if (!self.serves && !alarms.some(({ alarm }) => alarm === 'CORRUPT')) return undefined;
      const nameOf = (id: string) => cluster.members.find((member) => member.id === id)?.name ?? 'not listed';
      const raised = alarms.map(({ memberId, alarm }) =>
        ev('member', 'alarm', `${alarm}, raised by ${memberId} (${nameOf(memberId)})`),
      );
      return raised.length > 0 && raised;
    },
    shows: [healthEvidence, unitEvidence],
  },
  'healthy/serves': {
    when: (s) => s.servesAsOwn,
    shows: [healthEvidence, unitEvidence],
  },
  ...withReasons('local-fault', localFaults, ({ says, shows, asLost }) => ({
    when: (s) => {
      if (asLost && s.certificatesToBring) return undefined;
      // What a client sends may stand in a log: it can keep a heal from beginning here, and never begin one.
      const line = s.crashed && !s.certificatesToBring && s.words.find((word) => says?.test(word));
      const found = allOf(line && journalEvidence(s, line), shows?.(s));
      return found.length > 0 && found;
    },
    shows: [unitEvidence],
  })),
  'unknown/settings': {
    when: settingsEvidence,
    shows: [unitEvidence],
  },
  'amnesia/alone-without-data': {
    when: (s) => s.process !== 'alive' && s.dataGone && !s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, unitEvidence, clusterEvidence, peerEvidence],
  },
  'amnesia/log-short': {
    when: (s) => isLogShort(s) && s.process !== 'alive' && !s.cluster.hasQuorumWithoutSelf,
    shows: [panicEvidence, dataEvidence, unitEvidence, clusterEvidence],
  },
  'partitioned/peers-out-of-reach': {
    when: (s) => s.process === 'alive' && s.progresses && cutOff(s),
    shows: [peerEvidence, healthEvidence, unitEvidence, clusterEvidence],
  },
  'local-fault/tls-switched': {
    // The app's own check would restart it, and its restart writes etcd.env; others that are cut off lose nothing by that.
    response: 'restart',
    when: ({ servesAsOwn, swapped, cluster, config, process, observed: { app, tls } }) =>
      !(servesAsOwn || swapped || cluster.answered || config === undefined || tls || process === 'unknown') &&
      app.ok &&
      app.value.tls === (config.tls === undefined) &&
      ev('app', 'TLS', `${app.value.tls ? 'on' : 'off'} by the app's view, and not so in etcd.env`),
    shows: [unitEvidence, dataEvidence, clusterEvidence],
  },
  'hung/stands-still': {
    when: (s) =>
      (s.unit?.mainPid ?? 0) > 0 &&
      s.observed.health.state === 'none' &&
      s.observed.process !== undefined &&
      !s.progresses &&
      (!s.dataGone || s.cluster.hasQuorumWithoutSelf),
    shows: [processEvidence, healthEvidence, unitEvidence],
  },
  ...withReasons('stale', staleProofs, ({ whileStarting, holds, shows }) => ({
    when: (s) => maySayStale(s, whileStarting) && holds(s),
    shows: [...shows, lastWord, unitEvidence, clusterEvidence],
  })),
  'starting/activating': {
    when: (s) =>
      s.unit?.active === 'activating' && s.process === 'alive' && s.progresses && !waitsForQuorum(s),
    shows: [unitEvidence, processEvidence],
  },
  'quorum-lost/no-leader': {
    when: ({ cluster }) => cluster.answered && !cluster.knowsLeader && !cluster.hasQuorumWithoutSelf,
    shows: [unitEvidence, dataEvidence, clusterEvidence, peerEvidence],
  },
  'quorum-lost/only-member': {
    when: (s) => s.observed.others.length === 0 && s.crashed,
    shows: [unitEvidence, dataEvidence],
  },
  'quorum-lost/others-silent': {
    when: (s) => !s.cluster.answered && s.observed.others.length > 0,
    shows: [unitEvidence, dataEvidence, clusterEvidence, peerEvidence],
  },
  'unknown/others-disagree': {
    when: (s) => s.cluster.disagreement !== undefined,
    shows: [clusterEvidence],
  },
  'unknown/few-in-reach': {
    when: ({ cluster }) => cluster.knowsLeader && !cluster.hasQuorumWithoutSelf,
    shows: [unitEvidence, dataEvidence, clusterEvidence, peerEvidence],
  },
  'stopped/inactive': {
    when: (s) => s.unit?.active === 'inactive' && s.process === 'dead',
    shows: [unitEvidence, dataEvidence],
  },
  'unknown/process': {
    when: (s) => s.process === 'unknown',
    shows: [unitEvidence, processEvidence, dataEvidence],
  },
  'unknown/no-rule': {
    when: () => true,
    shows: [unitEvidence, unanswered, words, processEvidence, dataEvidence, listEvidence, clusterEvidence],
  },
};
