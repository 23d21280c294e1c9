import type { Situation } from '../diagnose/situation.ts';
import type { Settings } from '../settings/settings-table.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT, type Places } from '../state/places.ts';
import template from './by-hand.sh' with { type: 'text' };
import { expectedCluster } from './expected-cluster.ts';
import type { HealStep } from './heal-steps.ts';

/** The sections of the template, by the word behind `###`. */
const sections = new Map(
  template
    .split(/^### /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
);

/** What a person runs in the place of a step; its values are shell variables (`valuesOf`). */
export const byHand = (id: string): string => sections.get(id) ?? '';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How a person calls etcd. */
type Hand = Pick<Settings, 'etcdctl' | 'etcdUser' | 'etcdPasswordFile'>;

/** This node's own values, by the names that the template has for them. */
function valuesOf(s: Situation, places: Places, { etcdctl }: Hand): Readonly<Record<string, string>> {
  const { config, cluster, observed } = s;
  const stamp = new Date(observed.atMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const serving = cluster.serving.map(({ endpoint }) => endpoint);
  const { unit, copyUnit, unitFile, copyUnitFile, copyDropIns, env, copyEnv, originals, journal } = places;
  return {
    ...{ unit, copyUnit, unitFile, copyUnitFile, copyDropIns, env, copyEnv, originals, journal, etcdctl },
    healNode: EXECUTABLE,
    healUnit: HEAL_UNIT,
    gate: GATE_DROP_IN,
    name: config?.name ?? '',
    data: config?.dataDir ?? '',
    wal: config?.separateWalDir ? config.walDir : '',
    aside: `${config?.dataDir}.by-hand-${stamp}`,
    user: s.unit?.user || 'etcd',
    own: config?.clientUrl ?? '',
    others: serving.join(','),
    each: serving.join(' '),
    quorum: `${cluster.quorum}`,
    peer: config?.peerUrls[0] ?? '',
    peers: config?.peerUrls.join(',') ?? '',
    oldId: cluster.own?.name ? cluster.own.id : '',
    cluster: expectedCluster(s),
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
    step.byHand,
  ]);
  return [
    '(',
    'set -eu',
    ...values,
    ...exportsOf(s, hand),
    byHand('begin'),
    ...parts,
    byHand('end'),
    ')',
  ].join('\n');
}
