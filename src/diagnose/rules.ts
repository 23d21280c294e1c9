import {
  clusterEvidence,
  dataEvidence,
  type Evidence,
  ev,
  healthEvidence,
  journalEvidence,
  listEvidence,
  peerEvidence,
  processEvidence,
  unitEvidence,
} from './evidence.ts';
import { localFaults } from './local-faults.ts';
import { lineOf, type Situation } from './situation.ts';
import type { Verdict } from './verdicts.ts';

export interface Rule {
  readonly verdict: Verdict;
  /** A stable code, `verdict/kind`. */
  readonly reason: string;
  /** One sentence: what was found. */
  readonly means: string;
  /** What a person should do in this very case; the verdict's row says what in general. */
  readonly advice?: string;
  /** The evidence that makes it so; undefined when it does not hold. */
  readonly when: (s: Situation) => readonly Evidence[] | undefined;
}

/**
 * The member can be told to be stale only while the others serve without it, agree, it does not run well, and its
 * log and this machine could be looked at: what is out of reach might be a fault that a fresh member would meet again.
 */
const staleBase = (s: Situation): readonly Evidence[] | undefined =>
  s.cluster.hasQuorumWithoutSelf &&
  !s.servesAsOwn &&
  s.config !== undefined &&
  s.unit !== undefined &&
  s.observed.log.ok &&
  s.observed.host?.ok === true
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
    return line !== undefined && base && agrees(s) ? [journalEvidence(s, line), ...base] : undefined;
  },
});

/** Whether it is still listed or has been removed meanwhile: these data are of no use to it any more. */
const holdsData = (s: Situation): boolean => s.observed.data.kind === 'wal';

/**
 * A start as a member that is not listed, cut off (by its own end, as a rule) before its WAL held anything: started
 * again it knows no peer, and those who come to it ask for another ID (rafthttp/http.go, streamHandler).
 */
const neverJoins = (s: Situation): boolean =>
  lineOf(s, 'never-joined') !== undefined &&
  s.wal?.blank === true &&
  s.cluster.members.length > 0 &&
  !s.cluster.members.some(({ id }) => id === s.wal?.memberId);

/** None of the others' peer ports can be reached, and not because nobody listens there. */
const cutOff = ({ observed: { host } }: Situation): boolean =>
  host?.ok === true &&
  host.value.peers.length > 0 &&
  host.value.peers.every(({ reach }) => reach === 'silent') &&
  (!host.value.linkUp || host.value.peers.some(({ neighbour }) => neighbour));

/** From evidence to verdict, the first that holds. What stands higher beats what stands lower. */
export const rules: readonly Rule[] = [
  {
    verdict: 'healing',
    reason: 'healing/swapped',
    means: 'the existing-state unit or environment is in place: a heal or a manual runbook is not finished',
    when: (s) => {
      if (!s.swapped) return undefined;
      const { swap } = s.observed;
      const traces = `etcd unit: ${swap.unitFile}; copied unit: ${swap.copyUnitFile}; copied environment: ${swap.copyEnv ? 'there' : 'none'}${swap.pointsAway ? '; the unit still reads the copied environment' : ''}`;
      return [ev('swap', 'units and environment', traces), unitEvidence(s), dataEvidence(s), listEvidence(s)];
    },
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/ahead',
    means:
      'this member has committed more than the cluster that answers knows: the cluster has forgotten something',
    when: (s) =>
      s.ahead && s.cluster.hasQuorumWithoutSelf && !s.otherCluster && (!s.servesAsOwn || s.diverged)
        ? [dataEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/other-birthmark',
    means:
      'the cluster that answers is not the one that this node was a member of: it has been founded anew, or restored',
    advice:
      'find out whether the cluster that serves is the one to keep; after a restore that a person made, `heal-node adopt` accepts it, and the next health action goes on',
    when: (s) => {
      const why = s.birthmarkMismatch;
      return why && s.cluster.hasQuorumWithoutSelf && !s.servesAsOwn
        ? [ev('others', 'birthmark', why), dataEvidence(s), ...clusterEvidence(s)]
        : undefined;
    },
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/other-cluster',
    means: 'the data are of another cluster than the one that answers; heal-node never wipes such data',
    advice:
      'find out whose data these are; if nobody needs them, stop etcd, move the data dir away by hand, and run the health action',
    when: (s) => {
      const { cluster, observed, otherCluster: clusterId } = s;
      const self = observed.self?.reply.ok ? observed.self.reply.value : undefined;
      return clusterId !== undefined && cluster.hasQuorumWithoutSelf
        ? [
            dataEvidence(s),
            ...(self
              ? [ev('member', `${s.config?.clientUrl}`, `runs as ${self.memberId} of cluster ${clusterId}`)]
              : []),
            ...clusterEvidence(s),
          ]
        : undefined;
    },
  },
  {
    verdict: 'stale',
    reason: 'stale/clone',
    means: 'its data are a copy of those of another member, which serves on its own node',
    when: (s) =>
      s.foreign?.servedBy !== undefined && s.cluster.hasQuorumWithoutSelf
        ? [
            dataEvidence(s),
            ev(
              'others',
              s.foreign.servedBy,
              `serves as ${s.foreign.member.id} (${s.foreign.member.peerUrls.join(',')}), whose data these are`,
            ),
            unitEvidence(s),
            listEvidence(s),
          ]
        : undefined,
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/other-member',
    means:
      'its data are those of a member that the cluster lists for another node, and which does not serve there: they may be its only copy',
    advice:
      'stop etcd here, and bring the disk, or the data dir, back to the node that the evidence names; then run the health action here',
    when: (s) =>
      s.foreign && s.cluster.hasQuorumWithoutSelf
        ? [
            dataEvidence(s),
            ev(
              'others',
              'member list of the others',
              `${s.foreign.member.id} is ${s.foreign.member.name} at ${s.foreign.member.peerUrls.join(',')}`,
            ),
            ...clusterEvidence(s),
          ]
        : undefined,
  },
  {
    verdict: 'stale',
    reason: 'stale/diverged',
    means:
      'its data differ from those of all others, which agree among themselves, and HEAL_ON_DIVERGENCE is heal',
    when: (s) =>
      s.diverged && s.cluster.hasQuorumWithoutSelf && s.cluster.own
        ? [
            ev('data', 'deep check', s.observed.divergence?.text ?? ''),
            unitEvidence(s),
            listEvidence(s),
            ...clusterEvidence(s),
          ]
        : undefined,
  },
  {
    verdict: 'healthy',
    reason: 'healthy/serves',
    means: 'it answers, knows its leader, and is the member that it should be',
    when: (s) => (s.servesAsOwn && s.runs ? [healthEvidence(s), unitEvidence(s)] : undefined),
  },
  {
    verdict: 'alarmed',
    reason: 'alarmed/raised',
    means: 'it runs, but etcd has raised an alarm, which makes /health false on every member',
    when: (s) => {
      const self = s.observed.self?.reply.ok ? s.observed.self.reply.value : undefined;
      const alarms = [...(self?.alarms ?? []), ...s.cluster.alarms];
      // NOSPACE stops writes only; CORRUPT stops reads too (etcdserver/apply.go, applierV3Corrupt).
      if (!self?.serves && !alarms.some(({ alarm }) => alarm === 'CORRUPT')) return undefined;
      if (self === undefined || alarms.length === 0) return undefined;
      const nameOf = (id: string) =>
        s.cluster.members.find((member) => member.id === id)?.name ?? 'not listed';
      return [
        ...alarms.map(({ memberId, alarm }) =>
          ev('member', 'alarm', `${alarm}, raised by ${memberId} (${nameOf(memberId)})`),
        ),
        healthEvidence(s),
        unitEvidence(s),
      ];
    },
  },
  ...localFaults.map(
    ({ id, means, advice, shows }): Rule => ({
      verdict: 'local-fault',
      reason: `local-fault/${id}`,
      means,
      advice,
      when: (s) => {
        const line = s.servesAsOwn ? undefined : lineOf(s, id);
        const shown = shows?.(s) ?? [];
        if (line === undefined && shown.length === 0) return undefined;
        return [...(line === undefined ? [] : [journalEvidence(s, line)]), ...shown, unitEvidence(s)];
      },
    }),
  ),
  {
    verdict: 'unknown',
    reason: 'unknown/settings',
    means: 'the settings of etcd on this node cannot be read',
    when: (s) =>
      s.observed.config.ok
        ? undefined
        : [ev('config', 'settings of etcd', s.observed.config.why), unitEvidence(s)],
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/alone-without-data',
    means:
      'its data dir is empty and no quorum of others is in reach: started now, it could found a second, empty cluster',
    when: (s) =>
      !s.runs && s.dataGone && !s.cluster.hasQuorumWithoutSelf
        ? [dataEvidence(s), unitEvidence(s), ...clusterEvidence(s), ...peerEvidence(s)]
        : undefined,
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/log-short',
    means:
      'its log ends before what it had acknowledged, and no quorum of others is in reach: started now, it could help to elect a leader that lacks acknowledged writes',
    advice: 'start nothing here until the others serve again; the next health action heals it then',
    when: (s) => {
      const line = lineOf(s, 'log-short');
      return line !== undefined && !s.runs && !s.cluster.hasQuorumWithoutSelf
        ? [journalEvidence(s, line), dataEvidence(s), unitEvidence(s), ...clusterEvidence(s)]
        : undefined;
    },
  },
  {
    verdict: 'partitioned',
    reason: 'partitioned/peers-out-of-reach',
    means: 'it runs, but cannot reach the others',
    when: (s) =>
      s.runs && !s.servesAsOwn && s.progresses && cutOff(s)
        ? [...peerEvidence(s), healthEvidence(s), unitEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'hung',
    reason: 'hung/stands-still',
    means: 'its process lives, does not answer, and makes no progress',
    when: (s) =>
      s.runs &&
      s.observed.health.state === 'none' &&
      s.observed.process !== undefined &&
      !s.progresses &&
      (s.observed.data.kind === 'wal' || s.cluster.hasQuorumWithoutSelf)
        ? [...processEvidence(s), healthEvidence(s), unitEvidence(s)]
        : undefined,
  },
  {
    verdict: 'starting',
    reason: 'starting/activating',
    means: 'its process lives and is on its way up',
    when: (s) =>
      s.unit?.active === 'activating' &&
      s.runs &&
      s.progresses &&
      !neverJoins(s) &&
      !s.matched.some(({ signature }) => signature.proves === 'stale')
        ? [unitEvidence(s), ...processEvidence(s)]
        : undefined,
  },
  {
    verdict: 'quorum-lost',
    reason: 'quorum-lost/others-silent',
    means: 'fewer than a quorum of the members serve',
    when: (s) =>
      s.cluster.hasQuorumWithoutSelf || s.cluster.disagreement
        ? undefined
        : [unitEvidence(s), dataEvidence(s), ...clusterEvidence(s), ...peerEvidence(s)],
  },
  {
    verdict: 'unknown',
    reason: 'unknown/others-disagree',
    means: 'the others that serve do not agree on cluster ID and member list',
    when: (s) => (s.cluster.disagreement ? clusterEvidence(s) : undefined),
  },
  stale(
    'already-bootstrapped',
    'its data are gone, while the cluster remembers the member as started',
    (s) => s.dataGone && s.membership === 'listed',
  ),
  stale(
    'removed',
    'the cluster has removed the member that its data belong to',
    (s) => s.wal !== undefined && s.wal.memberId !== s.cluster.own?.id,
  ),
  stale(
    'never-joined',
    'its WAL is that of a member that the cluster does not list, and blank: so started it waits for ever',
    neverJoins,
  ),
  stale('wal-damaged', 'its write-ahead log is damaged', holdsData),
  stale(
    'wal-garbled',
    'a record of its write-ahead log is not one any more',
    // The line names no file, so the file itself must show it too.
    (s) => s.wal?.damage !== undefined || s.observed.data.wal?.ok === false,
  ),
  stale('wal-incomplete', 'files of its write-ahead log are missing', holdsData),
  stale('log-short', 'its log ends before what it had already acknowledged', holdsData),
  stale('db-damaged', 'its database cannot be opened', holdsData),
  {
    verdict: 'stale',
    reason: 'stale/db-short',
    means: 'its database file is shorter than its own account of itself, and etcd crashes on it',
    when: (s) => {
      const { db } = s.observed.data;
      const base = staleBase(s);
      return s.dbCut && db && base && !s.runs && s.crashed
        ? [
            ev(
              'data',
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
    (s) => s.dataGone && s.membership === 'unstarted',
  ),
  {
    verdict: 'stopped',
    reason: 'stopped/inactive',
    means: 'etcd is not running, and its last run did not fail',
    when: (s) => (s.unit?.active === 'inactive' && !s.runs ? [unitEvidence(s), dataEvidence(s)] : undefined),
  },
  {
    verdict: 'unknown',
    reason: 'unknown/no-rule',
    means: 'no rule fits what was seen',
    when: (s) => [
      unitEvidence(s),
      ...(s.observed.health.state === 'true' ? [] : [healthEvidence(s)]),
      ...(s.observed.log.ok ? [] : [ev('log', 'journal', s.observed.log.why)]),
      ...(s.observed.host?.ok === false ? [ev('host', 'this machine', s.observed.host.why)] : []),
      ...processEvidence(s),
      dataEvidence(s),
      listEvidence(s),
      ...clusterEvidence(s),
    ],
  },
];
