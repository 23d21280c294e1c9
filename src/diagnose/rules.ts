import { lineOf, type Situation } from './situation.ts';
import type { Verdict } from './verdicts.ts';

export interface Evidence {
  /** Where it was seen: a unit, a path, an endpoint. */
  readonly source: string;
  readonly text: string;
}

export interface Rule {
  readonly verdict: Verdict;
  /** A stable code, `verdict/kind`. */
  readonly reason: string;
  /** One sentence: what was found. */
  readonly means: string;
  /** The evidence that makes it so; undefined when it does not hold. */
  readonly when: (s: Situation) => readonly Evidence[] | undefined;
}

const ev = (source: string, text: string): Evidence => ({ source, text });

const journal = (s: Situation, line: string): Evidence =>
  ev(`journal of ${s.unitName}, this boot, last run`, line);

const clusterEvidence = ({ cluster }: Situation): Evidence[] => [
  ...cluster.serving.map(({ endpoint, reply }) =>
    ev(
      endpoint,
      `serves as ${reply.memberId}, cluster ${reply.clusterId}, leader ${reply.leader}, raft index ${reply.raftIndex}`,
    ),
  ),
  ...cluster.silent.map(({ endpoint, why }) => ev(endpoint, `does not serve: ${why}`)),
  ...(cluster.disagreement ? [ev('the others', cluster.disagreement)] : []),
];

const dataEvidence = ({ seen: { data }, config, wal }: Situation): Evidence =>
  ev(
    config?.dataDir ?? 'data dir',
    wal
      ? `holds data of member ${wal.memberId}, cluster ${wal.clusterId}, committed ${wal.commit}, last entry ${wal.lastIndex}${wal.damage ? `; the WAL is damaged: ${wal.damage}` : ''}`
      : data.wal && !data.wal.ok
        ? `holds a WAL that cannot be read: ${data.wal.why}`
        : data.kind === 'no-wal'
          ? 'holds a member directory without a WAL'
          : `holds no data (${data.dir === 'none' ? 'there is no such directory' : data.dir})`,
  );

const unitEvidence = ({ unit, unitName, seen }: Situation): Evidence =>
  ev(
    unitName,
    unit
      ? `${unit.active} (${unit.sub}), result ${unit.result}, ${['never exited', 'last exit code', 'last ended by signal', 'last dumped core by signal'][unit.exitKind] ?? 'last exit'}${unit.exitKind ? ` ${unit.exitStatus}` : ''}, ${unit.restarts} restarts`
      : seen.unit.ok
        ? 'unknown to systemd'
        : seen.unit.why,
  );

const listEvidence = ({ cluster: { own, members } }: Situation): Evidence =>
  ev(
    'member list of the others',
    own
      ? `lists this node as ${own.id} (${own.name === '' ? 'added, never started' : own.name}), one of ${members.length}`
      : `does not list this node; ${members.length} members`,
  );

/**
 * The member can be told to be stale only while the others serve without it, agree, it does not run well, and its
 * log could be read: what a log that is out of reach says might be a fault that a fresh member would meet again.
 */
const staleBase = (s: Situation): readonly Evidence[] | undefined =>
  s.cluster.standsWithoutUs && !s.servesAsOwn && s.config !== undefined && s.seen.log.ok
    ? [unitEvidence(s), dataEvidence(s), listEvidence(s), ...clusterEvidence(s)]
    : undefined;

/** A stale rule: one signature in this run's log, which must agree with what the data and the list say. */
const stale = (kind: string, means: string, agrees: (s: Situation) => boolean): Rule => ({
  verdict: 'stale',
  reason: `stale/${kind}`,
  means,
  when: (s) => {
    const line = lineOf(s, kind);
    const base = staleBase(s);
    return line !== undefined && base && agrees(s) ? [journal(s, line), ...base] : undefined;
  },
});

/** Its last run ended by itself, and badly: it was not stopped. */
const crashed = ({ unit }: Situation): boolean =>
  unit !== undefined && unit.exitKind !== 0 && unit.result !== 'success' && unit.active !== 'active';

const ownKnowsMore = ({ wal, cluster }: Situation): boolean =>
  wal !== undefined &&
  cluster.standsWithoutUs &&
  cluster.serving.every(({ reply }) => reply.raftIndex < wal.commit && reply.clusterId === wal.clusterId);

const foreignOwner = ({ wal, cluster: { members, own } }: Situation) =>
  wal && members.find((member) => member.id === wal.memberId && member.id !== own?.id);

/** From evidence to verdict, the first that holds. What stands higher beats what stands lower. */
export const rules: readonly Rule[] = [
  {
    verdict: 'healing',
    reason: 'healing/swapped',
    means: 'the existing-state unit or environment is in place: a heal or a manual runbook is not finished',
    when: (s) => {
      if (!s.swapped) return undefined;
      const { swap } = s.seen;
      const traces = `etcd unit: ${swap.unitFile}; copied unit: ${swap.unit1File}; copied environment: ${swap.env1 ? 'there' : 'none'}`;
      return [ev('units and environment', traces), unitEvidence(s), dataEvidence(s), listEvidence(s)];
    },
  },
  {
    verdict: 'healthy',
    reason: 'healthy/serves',
    means: 'it answers, knows its leader, and is the member that it should be',
    when: (s) =>
      s.servesAsOwn && s.runs ? [ev(`${s.config?.clientUrl}/health`, 'true'), unitEvidence(s)] : undefined,
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/log',
    means: 'its log names a fault of this machine that a fresh member would meet again',
    when: (s) => {
      const fault = s.matched.find(({ signature }) => signature.proves === 'local-fault');
      return fault && !s.servesAsOwn
        ? [journal(s, fault.line), ev(fault.signature.source, fault.signature.means), unitEvidence(s)]
        : undefined;
    },
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/unit',
    means: 'systemd cannot start it: the environment file, the program or the unit is missing or bad',
    when: (s) =>
      s.unit &&
      !s.runs &&
      (s.unit.result === 'resources' || (s.unit.exitKind === 1 && s.unit.exitStatus >= 200))
        ? [unitEvidence(s), ...(s.seen.config.ok ? [] : [ev('settings of etcd', s.seen.config.why)])]
        : undefined,
  },
  {
    verdict: 'unknown',
    reason: 'unknown/settings',
    means: 'the settings of etcd on this node cannot be read',
    when: (s) =>
      s.seen.config.ok ? undefined : [ev('settings of etcd', s.seen.config.why), unitEvidence(s)],
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/ahead',
    means:
      'this member has committed more than the cluster that answers knows: the cluster has forgotten something',
    when: (s) => (ownKnowsMore(s) && !s.servesAsOwn ? [dataEvidence(s), ...clusterEvidence(s)] : undefined),
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/alone-without-data',
    means:
      'its data dir is empty and no quorum of others is in reach: started now, it could found a second, empty cluster',
    when: (s) =>
      !s.runs && s.seen.data.kind !== 'wal' && !s.cluster.standsWithoutUs
        ? [dataEvidence(s), unitEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'starting',
    reason: 'starting/activating',
    means: 'its process lives and is on its way up',
    when: (s) =>
      s.unit?.active === 'activating' &&
      s.runs &&
      !s.matched.some(({ signature }) => signature.proves === 'stale')
        ? [unitEvidence(s)]
        : undefined,
  },
  {
    verdict: 'quorum-lost',
    reason: 'quorum-lost/others-silent',
    means: 'fewer than a quorum of the members serve',
    when: (s) =>
      s.cluster.standsWithoutUs || s.cluster.disagreement
        ? undefined
        : [unitEvidence(s), dataEvidence(s), ...clusterEvidence(s)],
  },
  {
    verdict: 'unknown',
    reason: 'unknown/others-disagree',
    means: 'the others that serve do not agree on cluster ID and member list',
    when: (s) => (s.cluster.disagreement ? clusterEvidence(s) : undefined),
  },
  {
    verdict: 'unknown',
    reason: 'unknown/other-cluster',
    means: 'the data are of another cluster than the one that answers',
    when: (s) =>
      s.wal && s.wal.clusterId !== s.cluster.clusterId ? [dataEvidence(s), ...clusterEvidence(s)] : undefined,
  },
  {
    verdict: 'unknown',
    reason: 'unknown/other-member',
    means: 'the data are of a member that the cluster lists for another node',
    when: (s) => {
      const owner = foreignOwner(s);
      return owner
        ? [dataEvidence(s), ev('member list of the others', `${owner.id} is ${owner.name}`)]
        : undefined;
    },
  },
  stale(
    'already-bootstrapped',
    'its data are gone, while the cluster remembers the member as started',
    (s) => s.seen.data.kind !== 'wal' && !!s.cluster.own && s.cluster.own.name !== '',
  ),
  stale(
    'removed',
    'the cluster has removed the member that its data belong to',
    (s) => s.wal !== undefined && s.wal.memberId !== s.cluster.own?.id,
  ),
  stale(
    'wal-damaged',
    'its write-ahead log is damaged',
    (s) => s.seen.data.kind === 'wal' && !!s.cluster.own,
  ),
  stale(
    'wal-garbled',
    'a record of its write-ahead log is not one any more',
    // The line names no file, so the file itself must show it too.
    (s) => !!s.cluster.own && (s.wal?.damage !== undefined || s.seen.data.wal?.ok === false),
  ),
  stale(
    'log-short',
    'its log ends before what it had already acknowledged',
    (s) => s.seen.data.kind === 'wal' && !!s.cluster.own,
  ),
  stale('db-damaged', 'its database cannot be opened', (s) => s.seen.data.kind === 'wal' && !!s.cluster.own),
  {
    verdict: 'stale',
    reason: 'stale/db-short',
    means: 'its database file is shorter than its own account of itself, and etcd crashes on it',
    when: (s) => {
      const { db } = s.seen.data;
      const base = staleBase(s);
      return s.dbCut && db && base && !s.runs && s.cluster.own && crashed(s)
        ? [
            ev(
              `${s.config?.dataDir}/member/snap/db`,
              `has ${db.bytes} bytes; by its meta pages it needs ${db.neededBytes}`,
            ),
            ...base,
          ]
        : undefined;
    },
  },
  stale(
    'half-added',
    'it was added again by hand, but its environment does not list the cluster as it is',
    (s) => s.seen.data.kind !== 'wal' && s.cluster.own?.name === '',
  ),
  {
    verdict: 'stopped',
    reason: 'stopped/inactive',
    means: 'etcd is not running, and nothing is wrong with its data',
    when: (s) => (s.unit?.active === 'inactive' && !s.runs ? [unitEvidence(s), dataEvidence(s)] : undefined),
  },
  {
    verdict: 'unknown',
    reason: 'unknown/no-rule',
    means: 'no rule fits what was seen',
    when: (s) => [
      unitEvidence(s),
      ...(s.seen.health.state === 'true' ? [] : [ev('health', s.seen.health.why)]),
      ...(s.seen.log.ok ? [] : [ev('journal', s.seen.log.why)]),
      dataEvidence(s),
      listEvidence(s),
      ...clusterEvidence(s),
    ],
  },
];
