import type { Situation } from '../diagnose/situation.ts';
import { CLIENT_TLS_DIR } from '../machine/etcd/etcd-config.ts';
import { setEnvValues } from '../machine/systemd/env-file.ts';
import type { Settings } from '../settings/settings-table.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT, type Places } from '../state/places.ts';
import template from './by-hand.sh' with { type: 'text' };
import { expectedCluster } from './expected-cluster.ts';
import type { HealStep } from './heal-steps.ts';

/**
 * What a person does in the place of a step, by the section of the template with its ID: what the old runbook has one type,
 * for the demo and the docs, with `$…` for this node's own values; and the commands of `plan --manual`, in which those are
 * shell variables (`valuesOf`).
 */
export function byHand(id: string) {
  const [, typed = '', commands = ''] =
    new RegExp(`^### ${id}(?: \\| (.*))?\n((?:(?!### ).*\n)*)`, 'm').exec(template) ?? [];
  return { typed, commands };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How a person calls etcd. */
type Hand = Pick<Settings, 'etcdctl' | 'etcdUser' | 'etcdPasswordFile' | 'startCmd'>;

/** This node's own values, by the names that the template has for them. */
function valuesOf(s: Situation, places: Places, hand: Hand): Readonly<Record<string, string>> {
  const { config, cluster, observed } = s;
  const { unit, copyUnit, unitFile, copyUnitFile, copyDropIns, env, copyEnv, originals, journal } = places;
  const { appEnv, paused, client, rootDiskMark: mark } = places;
  const joins = { ETCD_INITIAL_CLUSTER_STATE: 'existing', ETCD_INITIAL_CLUSTER: expectedCluster(s) };
  return {
    ...{ unit, copyUnit, unitFile, copyUnitFile, copyDropIns, env, copyEnv, originals, journal },
    ...{ appEnv, paused, client, mark, ssl: CLIENT_TLS_DIR, etcdctl: hand.etcdctl },
    appStart: hand.startCmd.join(' '),
    ...{ newUrls: s.hasNewUrls ? 'yes' : '', diverged: s.diverged ? 'yes' : '' },
    hosts: observed.app.ok ? observed.app.value.hosts.map(({ ip, name }) => `${ip} ${name}`).join('\n') : '',
    healNode: EXECUTABLE,
    healUnit: HEAL_UNIT,
    gate: GATE_DROP_IN,
    name: config?.name ?? '',
    data: config?.dataDir ?? '',
    wal: config?.separateWalDir ? config.walDir : '',
    user: s.unit?.user || 'etcd',
    own: config?.clientUrl ?? '',
    others: cluster.serving.map(({ endpoint }) => endpoint).join(','),
    quorum: `${cluster.quorum}`,
    peers: config?.peerUrls.join(',') ?? '',
    otherPeer: config?.otherPeerUrls[0] ?? '',
    oldId: (s.membership === 'listed' && cluster.own?.id) || '',
    /** What the copy of the environment says otherwise than the original. */
    values: setEnvValues('', { ...config?.ofView, ...joins }),
  };
}

/** What etcdctl needs besides: certificates, and a password, which is read where it stands and never printed. */
function exportsOf({ config }: Situation, { etcdUser, etcdPasswordFile }: Hand): string[] {
  const { ca = '', cert = '', key = '' } = config?.tls ?? {};
  const files = { ETCDCTL_CACERT: ca, ETCDCTL_CERT: cert, ETCDCTL_KEY: key };
  const tls = Object.entries(files).map(([name, path]) => `export ${name}=${quoted(path)}`);
  const user = `export ETCDCTL_USER=${quoted(`${etcdUser}:`)}"$(cat ${quoted(etcdPasswordFile)})"`;
  return [...(config?.tls ? tls : []), ...(etcdUser ? [user] : [])];
}

/**
 * The commands for these steps, to be pasted whole into a root shell on this node. One subshell: it ends at the first
 * command that fails, and the shell that it was pasted into goes on.
 */
export function commandsByHand(s: Situation, places: Places, hand: Hand, steps: readonly HealStep[]): string {
  const values = Object.entries(valuesOf(s, places, hand)).map(([name, text]) => `${name}=${quoted(text)}`);
  const parts = steps.flatMap((step) => [
    `echo ${quoted(`== ${step.id} (runbook step ${step.runbookStep}): ${step.what}`)}`,
    step.commands,
  ]);
  return [
    '# Paste all of it into a root shell on this node. It stops at the first failure; printed anew, it goes on from there.',
    '(',
    'set -eu',
    ...values,
    // Also one that has not told its name, where its data were set aside.
    steps.some(({ id }) => id === 'remove') ? `oldId=${quoted(s.cluster.own?.id ?? '')}` : '',
    ...exportsOf(s, hand),
    byHand('begin').commands,
    ...parts,
    byHand('end').commands,
    ')',
  ].join('\n');
}
