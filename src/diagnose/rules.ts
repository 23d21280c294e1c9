import type { Member } from '../cluster/cluster.ts';
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
import { localFaults } from './local-faults.ts';
import { isLogShort, panicOfShortLog } from './log-words.ts';
import type { Situation } from './situation.ts';
import { staleProofs } from './stale-proofs.ts';
import type { Reason, Response } from './verdicts.ts';

export interface Rule {
  /** A stable code, `verdict/kind`. */
  readonly reason: Reason;
  /** One sentence: what was found. */
  readonly means: string;
  /** What a person should do in this very case; the verdict's row says what in general. */
  readonly advice?: string;
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

/** What could not be looked at, or does not answer well. */
const unanswered = (s: Situation): Shown => {
  const { health, log, host } = s.observed;
  return allOf(
    health.state !== 'true' && healthEvidence(s),
    !log.ok && ev('log', 'journal', log.why),
    host?.ok === false && ev('host', 'this machine', host.why),
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

/** From evidence to verdict, the first that holds. What stands higher beats what stands lower. */
export const rules: readonly Rule[] = [
  {
    reason: 'healing/swapped',
    means: 'the existing-state unit or environment is in place: a heal or a manual runbook is not finished',
    when: (s) => s.swapped,
    shows: [swapEvidence, unitEvidence, dataEvidence, listEvidence],
  },
  {
    reason: 'local-fault/disk-not-mounted',
    means: 'the disk that its data are on is not mounted',
    advice: 'mount the data disk (see /etc/fstab and `lsblk`), and run the health action; nothing is lost',
    response: 'nothing',
    when: ({ observed: { host }, process }) =>
      host?.ok &&
      host.value.diskNotMounted !== '' &&
      process !== 'alive' &&
      ev('host', 'file systems', host.value.diskNotMounted),
    shows: [],
  },
  {
    reason: 'local-fault/certificates-missing',
    means:
      "its certificates are gone, and it was a member before or others of the cluster are there: the app's own start could make a new authority and break every node",
    advice:
      "copy /var/lib/etcd/ssl/etcd from a node that serves (scp -P 16022), give it to etcd's user, and run the health action; run neither start nor restart of the app before. Only where no node has certificates, as when TLS was switched on while the cluster was stopped, run `/opt/app/bin/ctl.sh start` by hand on all nodes",
    response: 'nothing',
    when: (s) =>
      s.certificatesMissing !== undefined &&
      !s.servesAsOwn &&
      // Lost with the data they come back with the heal; without a quorum of others that is not known yet.
      !(s.certificatesToBring && (s.provenStale || !s.cluster.hasQuorumWithoutSelf)) &&
      ev('host', 'certificates', s.certificatesMissing),
    shows: [dataEvidence, unitEvidence],
  },
  {
    reason: 'amnesia/ahead',
    means:
      'this member has committed more than the cluster that answers knows: the cluster has forgotten something',
    advice:
      'find out which of the two is to be kept; `heal-node adopt --discard-ahead` accepts that what this member alone has is lost',
    when: (s) =>
      s.ahead && s.cluster.hasQuorumWithoutSelf && !s.otherCluster && (!s.servesAsOwn || s.diverged),
    shows: [dataEvidence, clusterEvidence],
  },
  {
    reason: 'amnesia/other-birthmark',
    means:
      'the cluster that answers is not the one that this node was a member of: it has been founded anew, or restored',
    advice:
      'find out whether the cluster that serves is the one to keep; after a restore that a person made, `heal-node adopt` accepts it, and the next health action goes on',
    when: (s) =>
      s.birthmarkMismatch &&
      s.cluster.hasQuorumWithoutSelf &&
      !s.servesAsOwn &&
      ev('others', 'birthmark', s.birthmarkMismatch),
    shows: [dataEvidence, clusterEvidence],
  },
  {
    reason: 'local-fault/other-cluster',
    means: 'the data are of another cluster than the one that answers; heal-node never wipes such data',
    advice:
      'find out whose data these are; if nobody needs them, stop etcd, move the data dir away by hand, and run the health action',
    when: (s) => s.otherCluster !== undefined && s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, runsAs, clusterEvidence],
  },
  {
    reason: 'local-fault/peer-url-changed',
    means: "the cluster lists a member of this node's name with other peer URLs than its settings have",
    advice:
      "give the settings the peer URLs of the list, or the list those of the settings (`etcdctl member update ID --peer-urls=…`), as the app's change of names or of TLS does",
    when: ({ cluster: { renamed, hasQuorumWithoutSelf }, servesAsOwn, foreign }) =>
      hasQuorumWithoutSelf && !servesAsOwn && foreign === undefined && listedAs(renamed),
    shows: [ownPeerUrls, dataEvidence],
  },
  {
    reason: 'stale/clone',
    means: 'its data are a copy of those of another member, which serves on its own node',
    when: (s) => s.foreign?.servedBy !== undefined && s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, servedElsewhere, unitEvidence, listEvidence],
  },
  {
    reason: 'local-fault/other-member',
    means:
      'its data are those of a member that the cluster lists for another node, and which does not serve there: they may be its only copy',
    advice:
      'stop etcd here, and bring the disk, or the data dir, back to the node that the evidence names; then run the health action here',
    // Started while the others do not answer in time, it would speak in that member's name: the gate could not know.
    response: 'nothing',
    when: (s) => s.foreign !== undefined,
    shows: [dataEvidence, foreignMember, clusterEvidence],
  },
  {
    reason: 'stale/diverged',
    means:
      'its data differ from those of all others, which agree among themselves, and HEAL_ON_DIVERGENCE is heal',
    when: (s) => s.diverged && s.cluster.hasQuorumWithoutSelf && s.cluster.own !== undefined,
    shows: [deepCheckEvidence, unitEvidence, listEvidence, clusterEvidence],
  },
  {
    reason: 'alarmed/raised',
    means: 'it runs, but etcd has raised an alarm, which makes /health false on every member',
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
  {
    reason: 'healthy/serves',
    means: 'it answers, knows its leader, and is the member that it should be',
    when: (s) => s.servesAsOwn,
    shows: [healthEvidence, unitEvidence],
  },
  ...localFaults.map(
    ({ id, means, advice, says, shows, asLost }): Rule => ({
      reason: `local-fault/${id}`,
      means,
      advice,
      when: (s) => {
        if (asLost && s.certificatesToBring) return undefined;
        // What a client sends may stand in a log: it can keep a heal from beginning here, and never begin one.
        const line = s.crashed && !s.certificatesToBring && s.words.find((word) => says?.test(word));
        const found = allOf(line && journalEvidence(s, line), shows?.(s));
        return found.length > 0 && found;
      },
      shows: [unitEvidence],
    }),
  ),
  {
    reason: 'unknown/settings',
    means: 'the settings of etcd on this node cannot be read',
    when: settingsEvidence,
    shows: [unitEvidence],
  },
  {
    reason: 'amnesia/alone-without-data',
    means:
      'its data are gone and no quorum of others is in reach: started now, it could found a second, empty cluster',
    when: (s) => s.process !== 'alive' && s.dataGone && !s.cluster.hasQuorumWithoutSelf,
    shows: [dataEvidence, unitEvidence, clusterEvidence, peerEvidence],
  },
  {
    reason: 'amnesia/log-short',
    means:
      'its log ends before what it had acknowledged, and no quorum of others is in reach: started now, it could help to elect a leader that lacks acknowledged writes',
    advice: 'start nothing here until the others serve again; the next health action heals it then',
    when: (s) => isLogShort(s) && s.process !== 'alive' && !s.cluster.hasQuorumWithoutSelf,
    shows: [panicEvidence, dataEvidence, unitEvidence, clusterEvidence],
  },
  {
    reason: 'partitioned/peers-out-of-reach',
    means: 'it runs, but cannot reach the others',
    when: (s) => s.process === 'alive' && s.progresses && cutOff(s),
    shows: [peerEvidence, healthEvidence, unitEvidence, clusterEvidence],
  },
  {
    reason: 'hung/stands-still',
    means: 'its process lives, does not answer, and makes no progress',
    when: (s) =>
      (s.unit?.mainPid ?? 0) > 0 &&
      s.observed.health.state === 'none' &&
      s.observed.process !== undefined &&
      !s.progresses &&
      (!s.dataGone || s.cluster.hasQuorumWithoutSelf),
    shows: [processEvidence, healthEvidence, unitEvidence],
  },
  ...staleProofs.map(
    ({ id, means, whileStarting, holds, shows }): Rule => ({
      reason: `stale/${id}`,
      means,
      when: (s) => maySayStale(s, whileStarting) && holds(s),
      shows: [...shows, lastWord, unitEvidence, clusterEvidence],
    }),
  ),
  {
    reason: 'starting/activating',
    means: 'its process lives and is on its way up',
    when: (s) =>
      s.unit?.active === 'activating' && s.process === 'alive' && s.progresses && !waitsForQuorum(s),
    shows: [unitEvidence, processEvidence],
  },
  {
    reason: 'quorum-lost/no-leader',
    means: 'fewer than a quorum of the members serve, and those that answer know no leader',
    advice:
      'bring the other members back first; if their data are lost for good, decide by hand whether to use `ctl.sh repair` on the node with the newest data',
    when: ({ cluster }) =>
      cluster.answered && !cluster.hasQuorumWithoutSelf && cluster.disagreement === undefined,
    shows: [unitEvidence, dataEvidence, clusterEvidence, peerEvidence],
  },
  {
    reason: 'quorum-lost/only-member',
    means: 'its last run has failed, and no other member has its data: a single member is never healed',
    advice:
      "where `journalctl -u etcd` says that its data are damaged, restore a backup by the app's restore",
    when: (s) => s.observed.others.length === 0 && s.crashed,
    shows: [unitEvidence, dataEvidence],
  },
  {
    reason: 'quorum-lost/others-silent',
    means:
      'none of the others answers: whether they are dead or cut off from here cannot be told from this node',
    advice:
      'look at the other nodes and at the network between them; where they serve, the network is what to repair',
    when: (s) => !s.cluster.answered && s.observed.others.length > 0,
    shows: [unitEvidence, dataEvidence, clusterEvidence, peerEvidence],
  },
  {
    reason: 'unknown/others-disagree',
    means: 'the others that serve do not agree on cluster ID and member list',
    when: (s) => s.cluster.disagreement !== undefined,
    shows: [clusterEvidence],
  },
  {
    reason: 'stopped/inactive',
    means: 'etcd is not running, and its last run did not fail',
    when: (s) => s.unit?.active === 'inactive' && s.process === 'dead',
    shows: [unitEvidence, dataEvidence],
  },
  {
    reason: 'unknown/process',
    means: 'systemd does not answer, so nobody can say whether its process lives',
    advice:
      'find out why systemd does not answer (`systemctl status`, `dmesg`); nothing is restarted until it does',
    when: (s) => s.process === 'unknown',
    shows: [unitEvidence, processEvidence, dataEvidence],
  },
  {
    reason: 'unknown/no-rule',
    means: 'no rule fits what was observed',
    when: () => true,
    shows: [unitEvidence, unanswered, words, processEvidence, dataEvidence, listEvidence, clusterEvidence],
  },
];
