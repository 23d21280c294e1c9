import type { Member } from '../cluster/cluster.ts';
import {
  allOf,
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
import { panicOfShortLog } from './log-words.ts';
import type { Situation } from './situation.ts';
import { staleProofs } from './stale-proofs.ts';
import type { Response, Verdict } from './verdicts.ts';

export interface Rule {
  readonly verdict: Verdict;
  /** A stable code, `verdict/kind`. */
  readonly reason: string;
  /** One sentence: what was found. */
  readonly means: string;
  /** What a person should do in this very case; the verdict's row says what in general. */
  readonly advice?: string;
  /** What the health action does in this very case, where it is not what it does with the verdict. */
  readonly response?: Response;
  /** The evidence that makes it so; undefined when it does not hold. */
  readonly when: (s: Situation) => readonly Evidence[] | undefined;
}

const listedAs = ({ id, name, peerUrls }: Member): Evidence =>
  ev('others', 'member list of the others', `${id} is ${name} at ${peerUrls.join(',')}`);

const saysDeepCheck = ({ observed: { divergence } }: Situation): Evidence =>
  ev('data', 'deep check', divergence?.text ?? '');

const servedElsewhere = ({ id, peerUrls }: Member, endpoint: string): Evidence =>
  ev('others', endpoint, `serves as ${id} (${peerUrls.join(',')}), whose data these are`);

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
    verdict: 'local-fault',
    reason: 'local-fault/disk-not-mounted',
    means: 'the disk that its data are on is not mounted',
    advice: 'mount the data disk (see /etc/fstab and `lsblk`), and run the health action; nothing is lost',
    response: 'nothing',
    when: ({ observed: { host }, process }) =>
      host?.ok && host.value.diskNotMounted !== '' && process !== 'alive'
        ? [ev('host', 'file systems', host.value.diskNotMounted)]
        : undefined,
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/certificates-missing',
    means:
      "its certificates are gone, and it was a member before or others of the cluster are there: the app's own start could make a new authority and break every node",
    advice:
      "copy /var/lib/etcd/ssl/etcd from a node that serves (scp -P 16022), give it to etcd's user, and run the health action; run neither start nor restart of the app before. Only where no node has certificates, as when TLS was switched on while the cluster was stopped, run `/opt/app/bin/ctl.sh start` by hand on all nodes",
    response: 'nothing',
    when: (s) =>
      // Lost with the data they come back with the heal; without a quorum of others that is not known yet.
      s.certificatesMissing === undefined ||
      s.servesAsOwn ||
      (s.certificatesToBring && (s.provenStale || !s.cluster.hasQuorumWithoutSelf))
        ? undefined
        : [ev('host', 'certificates', s.certificatesMissing), dataEvidence(s), unitEvidence(s)],
  },
  {
    verdict: 'amnesia',
    reason: 'amnesia/ahead',
    means:
      'this member has committed more than the cluster that answers knows: the cluster has forgotten something',
    advice:
      'find out which of the two is to be kept; `heal-node adopt --discard-ahead` accepts that what this member alone has is lost',
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
    when: (s) =>
      s.birthmarkMismatch && s.cluster.hasQuorumWithoutSelf && !s.servesAsOwn
        ? [ev('others', 'birthmark', s.birthmarkMismatch), dataEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/other-cluster',
    means: 'the data are of another cluster than the one that answers; heal-node never wipes such data',
    advice:
      'find out whose data these are; if nobody needs them, stop etcd, move the data dir away by hand, and run the health action',
    when: (s) =>
      s.otherCluster !== undefined && s.cluster.hasQuorumWithoutSelf
        ? allOf(
            dataEvidence(s),
            s.self &&
              ev(
                'member',
                `${s.config?.clientUrl}`,
                `runs as ${s.self.memberId} of cluster ${s.otherCluster}`,
              ),
            clusterEvidence(s),
          )
        : undefined,
  },
  {
    verdict: 'local-fault',
    reason: 'local-fault/peer-url-changed',
    means: "the cluster lists a member of this node's name with other peer URLs than its settings have",
    advice:
      "give the settings the peer URLs of the list, or the list those of the settings (`etcdctl member update ID --peer-urls=…`), as the app's change of names or of TLS does",
    when: (s) => {
      const { renamed, hasQuorumWithoutSelf } = s.cluster;
      return renamed && hasQuorumWithoutSelf && !s.servesAsOwn && s.foreign === undefined
        ? [
            listedAs(renamed),
            ev('config', 'settings of etcd', `peer URLs ${s.config?.peerUrls.join(',')}`),
            dataEvidence(s),
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
            servedElsewhere(s.foreign.member, s.foreign.servedBy),
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
    // Started while the others do not answer in time, it would speak in that member's name: the gate could not know.
    response: 'nothing',
    when: (s) =>
      s.foreign ? [dataEvidence(s), listedAs(s.foreign.member), ...clusterEvidence(s)] : undefined,
  },
  {
    verdict: 'stale',
    reason: 'stale/diverged',
    means:
      'its data differ from those of all others, which agree among themselves, and HEAL_ON_DIVERGENCE is heal',
    when: (s) =>
      s.diverged && s.cluster.hasQuorumWithoutSelf && s.cluster.own
        ? [saysDeepCheck(s), unitEvidence(s), listEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'alarmed',
    reason: 'alarmed/raised',
    means: 'it runs, but etcd has raised an alarm, which makes /health false on every member',
    when: (s) => {
      const { self } = s;
      if (self === undefined || s.observed.health.state === 'true') return undefined;
      const alarms = [...self.alarms, ...s.cluster.alarms];
      // NOSPACE stops writes only; CORRUPT stops reads too (etcdserver/apply.go, applierV3Corrupt).
      if (!self.serves && !alarms.some(({ alarm }) => alarm === 'CORRUPT')) return undefined;
      if (alarms.length === 0) return undefined;
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
  {
    verdict: 'healthy',
    reason: 'healthy/serves',
    means: 'it answers, knows its leader, and is the member that it should be',
    when: (s) => (s.servesAsOwn ? [healthEvidence(s), unitEvidence(s)] : undefined),
  },
  ...localFaults.map(
    ({ id, means, advice, says, shows, asLost }): Rule => ({
      verdict: 'local-fault',
      reason: `local-fault/${id}`,
      means,
      advice,
      when: (s) => {
        if (asLost && s.certificatesToBring) return undefined;
        // What a client sends may stand in a log: it can keep a heal from beginning here, and never begin one.
        const line = s.crashed && !s.certificatesToBring && s.words.find((word) => says?.pattern.test(word));
        const found = allOf(line && journalEvidence(s, line), shows?.(s));
        return found.length > 0 ? [...found, unitEvidence(s)] : undefined;
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
      'its data are gone and no quorum of others is in reach: started now, it could found a second, empty cluster',
    when: (s) =>
      s.process !== 'alive' && s.dataGone && !s.cluster.hasQuorumWithoutSelf
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
      const word = panicOfShortLog(s);
      return (word !== undefined || s.logShort) && s.process !== 'alive' && !s.cluster.hasQuorumWithoutSelf
        ? allOf(word && journalEvidence(s, word), dataEvidence(s), unitEvidence(s), clusterEvidence(s))
        : undefined;
    },
  },
  {
    verdict: 'partitioned',
    reason: 'partitioned/peers-out-of-reach',
    means: 'it runs, but cannot reach the others',
    when: (s) =>
      s.process === 'alive' && s.progresses && cutOff(s)
        ? [...peerEvidence(s), healthEvidence(s), unitEvidence(s), ...clusterEvidence(s)]
        : undefined,
  },
  {
    verdict: 'hung',
    reason: 'hung/stands-still',
    means: 'its process lives, does not answer, and makes no progress',
    when: (s) =>
      (s.unit?.mainPid ?? 0) > 0 &&
      s.observed.health.state === 'none' &&
      s.observed.process !== undefined &&
      !s.progresses &&
      (!s.dataGone || s.cluster.hasQuorumWithoutSelf)
        ? [...processEvidence(s), healthEvidence(s), unitEvidence(s)]
        : undefined,
  },
  ...staleProofs.map(
    ({ id, means, whileStarting, shows }): Rule => ({
      verdict: 'stale',
      reason: `stale/${id}`,
      means,
      when: (s) => {
        const shown = maySayStale(s, whileStarting) ? shows(s) : undefined;
        const said = s.words.slice(-1).map((word) => journalEvidence(s, word));
        return shown && [...shown, ...said, unitEvidence(s), ...clusterEvidence(s)];
      },
    }),
  ),
  {
    verdict: 'starting',
    reason: 'starting/activating',
    means: 'its process lives and is on its way up',
    when: (s) =>
      s.unit?.active === 'activating' && s.process === 'alive' && s.progresses && !waitsForQuorum(s)
        ? [unitEvidence(s), ...processEvidence(s)]
        : undefined,
  },
  {
    verdict: 'quorum-lost',
    reason: 'quorum-lost/no-leader',
    means: 'fewer than a quorum of the members serve, and those that answer know no leader',
    advice:
      'bring the other members back first; if their data are lost for good, decide by hand whether to use `ctl.sh repair` on the node with the newest data',
    when: (s) =>
      s.cluster.hasQuorumWithoutSelf || s.cluster.disagreement || !s.cluster.answered
        ? undefined
        : [unitEvidence(s), dataEvidence(s), ...clusterEvidence(s), ...peerEvidence(s)],
  },
  {
    verdict: 'quorum-lost',
    reason: 'quorum-lost/only-member',
    means: 'its last run has failed, and no other member has its data: a single member is never healed',
    advice:
      "where `journalctl -u etcd` says that its data are damaged, restore a backup by the app's restore",
    when: (s) =>
      s.observed.others.length === 0 && s.crashed ? [unitEvidence(s), dataEvidence(s)] : undefined,
  },
  {
    verdict: 'quorum-lost',
    reason: 'quorum-lost/others-silent',
    means:
      'none of the others answers: whether they are dead or cut off from here cannot be told from this node',
    advice:
      'look at the other nodes and at the network between them; where they serve, the network is what to repair',
    when: (s) =>
      s.cluster.answered || s.observed.others.length === 0
        ? undefined
        : [unitEvidence(s), dataEvidence(s), ...clusterEvidence(s), ...peerEvidence(s)],
  },
  {
    verdict: 'unknown',
    reason: 'unknown/others-disagree',
    means: 'the others that serve do not agree on cluster ID and member list',
    when: (s) => (s.cluster.disagreement ? clusterEvidence(s) : undefined),
  },
  {
    verdict: 'stopped',
    reason: 'stopped/inactive',
    means: 'etcd is not running, and its last run did not fail',
    when: (s) =>
      s.unit?.active === 'inactive' && s.process === 'dead' ? [unitEvidence(s), dataEvidence(s)] : undefined,
  },
  {
    verdict: 'unknown',
    reason: 'unknown/process',
    means: 'systemd does not answer, so nobody can say whether its process lives',
    advice:
      'find out why systemd does not answer (`systemctl status`, `dmesg`); nothing is restarted until it does',
    when: (s) =>
      s.process === 'unknown' ? [unitEvidence(s), ...processEvidence(s), dataEvidence(s)] : undefined,
  },
  {
    verdict: 'unknown',
    reason: 'unknown/no-rule',
    means: 'no rule fits what was observed',
    when: (s) => [
      unitEvidence(s),
      ...(s.observed.health.state === 'true' ? [] : [healthEvidence(s)]),
      ...(s.observed.log.ok ? [] : [ev('log', 'journal', s.observed.log.why)]),
      ...(s.observed.host?.ok === false ? [ev('host', 'this machine', s.observed.host.why)] : []),
      ...s.words.map((word) => journalEvidence(s, word)),
      ...processEvidence(s),
      dataEvidence(s),
      listEvidence(s),
      ...clusterEvidence(s),
    ],
  },
];
