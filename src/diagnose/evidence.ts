import type { MemberReply } from '../cluster/cluster.ts';
import type { Examination } from '../machine/etcd/examine.ts';
import type { Source } from '../observe/observation.ts';
import type { BareSituation } from './situation.ts';

/** What may be shown: anything falsy is not. */
export type Shown = Evidence | readonly Evidence[] | '' | false | undefined;

/** What of these is shown, one after the other. */
export const allOf = (...parts: readonly Shown[]): Evidence[] => parts.flatMap((part) => part || []);

/**
 * Something seen that speaks for a verdict, from where: a unit, a path, an endpoint. `diagnose` adds when it was asked for,
 * and how long that took.
 */
export const ev = (from: Source, source: string, text: string) => ({ from, source, text });
export type Evidence = Readonly<ReturnType<typeof ev>>;

export const journalEvidence = (s: BareSituation, line: string): Evidence =>
  ev('log', `log of ${s.unitName}, this boot, last run`, line);

const skewText = (ms: number | undefined): string =>
  ms === undefined || Math.abs(ms) < 5000 ? '' : `; its clock is ${ms / 1000} s from ours`;

const servesText = ({ memberId, clusterId, leader, term, ...reply }: MemberReply): string =>
  `serves as ${memberId}, cluster ${clusterId}, leader ${leader}, term ${term}, raft index ${reply.raftIndex}, revision ${reply.revision}, ${reply.dbSizeBytes} bytes, version ${reply.version}${skewText(reply.clockSkewMs)}`;

export const clusterEvidence = ({ cluster }: BareSituation): Evidence[] => [
  ...cluster.serving.map(({ endpoint, reply }) => ev('others', endpoint, servesText(reply))),
  ...cluster.silent.map(({ endpoint, why }) => ev('others', endpoint, `does not serve: ${why}`)),
  ...(cluster.disagreement ? [ev('others', 'the others', cluster.disagreement)] : []),
];

const HOLDS = {
  none: 'holds no data',
  founding: 'holds nothing but a founding, without a single write',
  data: 'holds data',
} as const;

/** How the others are asked meanwhile (src/act/heal/ask-as-client.ts). */
const AS_CLIENT = 'the others are asked as the client of the metadata service, where that answers';

const examinationText = ({ kind, notLookedAt, ...e }: Examination): string =>
  `${kind}, term ${e.term}, committed ${e.commit}, last entry ${e.lastIndex}, applied ${e.applied ?? 'unknown'}${notLookedAt.length > 0 ? `; not looked at: ${notLookedAt.join('; ')}` : ''}`;

export const dataEvidence = ({ observed: { data }, config, examination, ...s }: BareSituation): Evidence => {
  const { kind, dir, why, memberId, clusterId, occupied } = data;
  const owner = memberId === '' ? '' : ` of member ${memberId}, cluster ${clusterId}`;
  const nothing =
    dir === 'none' ? 'there is no such directory' : occupied && 'a member directory without a log';
  const left = kind === 'none' && nothing ? ` (${nothing})` : '';
  const read = examination && kind === 'data' ? `, ${examinationText(examination)}` : '';
  const text = kind === 'unknown' ? `cannot be told: ${why}` : `${HOLDS[kind]}${owner}${left}${read}`;
  const lost = s.certificatesToBring ? `${text}; ${s.certificatesMissing}; ${AS_CLIENT}` : text;
  return ev('data', config?.dataDir ?? 'data dir', lost);
};

const exits = ['never exited', 'last exit code', 'last ended by signal', 'last dumped core by signal'];

export const unitEvidence = ({ unit, unitName, observed }: BareSituation): Evidence => {
  if (!unit) return ev('unit', unitName, observed.unit.ok ? 'unknown to systemd' : observed.unit.why);
  const text = [
    `${unit.active} (${unit.sub})`,
    `result ${unit.result}`,
    `${exits[unit.exitKind] ?? 'last exit'}${unit.exitKind ? ` ${unit.exitStatus}` : ''}`,
    `${unit.restarts} restarts`,
    unit.startedAtSec && `started ${new Date(unit.startedAtSec * 1000).toISOString()}`,
    unit.fragment && `from ${unit.fragment}`,
    unit.dropIns.length > 0 && `drop-ins ${unit.dropIns.join(' ')}`,
    unit.environmentFiles.length > 0 && `environment ${unit.environmentFiles.join(' ')}`,
  ].filter(Boolean);
  return ev('unit', unitName, text.join(', '));
};

export const listEvidence = ({ cluster: { own, members } }: BareSituation): Evidence => {
  const text = own
    ? `lists this node as ${own.id} (${own.name === '' ? 'added, never started' : own.name}), one of ${members.length}`
    : `does not list this node; ${members.length} members`;
  return ev('others', 'member list of the others', text);
};

export const healthEvidence = ({ observed: { health }, config }: BareSituation): Evidence =>
  ev('member', `${config?.clientUrl}/health`, health.state === 'true' ? 'true' : health.why);

/** Why the settings of etcd cannot be read. */
export const settingsEvidence = ({ observed: { config } }: BareSituation): Shown =>
  !config.ok && ev('config', 'settings of etcd', config.why);

/** What a process that does not answer well says of itself, and does meanwhile. */
export const processEvidence = ({ observed: { process }, self, unit, config }: BareSituation): Evidence[] => {
  const says = self && `answers as ${self.memberId}, leader ${self.leader}, raft index ${self.raftIndex}`;
  const does =
    process &&
    `in state ${process.state}; in ${process.overMs} ms it used ${process.cpuTicks} ticks of CPU and moved ${process.ioBytes} bytes`;
  return allOf(
    says && ev('member', `${config?.clientUrl}`, says),
    does && ev('process', `process ${unit?.mainPid}`, does),
  );
};

const onLink = (neighbour: boolean | undefined): string =>
  `, and the machine ${neighbour ? 'answered on the link a moment ago' : 'does not answer on the link either'}`;

export const peerEvidence = ({ observed: { host } }: BareSituation): Evidence[] => {
  if (!host?.ok) return host ? [ev('host', 'this machine', host.why)] : [];
  return allOf(
    !host.value.linkUp && ev('host', 'network', 'no interface has a carrier'),
    host.value.peers.map(({ url, reach, neighbour }) =>
      ev('host', url, `its port is ${reach}${reach === 'silent' ? onLink(neighbour) : ''}`),
    ),
  );
};
