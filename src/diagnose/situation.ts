import type { Member, MemberReply } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';
import type { Examination } from '../machine/etcd/examine.ts';
import { lastWords } from '../machine/etcd/log-lines.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import { unitInForce } from '../observe/look-at-units.ts';
import type { Observation } from '../observe/observation.ts';
import type { Places } from '../state/places.ts';
import { birthmarkMismatch } from './birthmark-mismatch.ts';
import { type ClusterView, clusterView, isOwn } from './cluster-view.ts';
import { staleProofs } from './stale-proofs.ts';

/** An observation with what follows from it at once: what rules, guards, gate and steps ask for. Pure. */
export interface Situation {
  readonly observed: Observation;
  readonly config: EtcdConfig | undefined;
  /** What this member says of itself; undefined when it does not answer. */
  readonly self: MemberReply | undefined;
  readonly cluster: ClusterView;
  /** All of the data, read to the end; undefined where they were not. */
  readonly examination: Examination | undefined;
  /** Whose data these are; undefined where there are none, nothing but a founding, or their log does not say. */
  readonly owner: { readonly memberId: string; readonly clusterId: string } | undefined;
  /** The log is that of a member of this cluster that those that serve do not list: it was removed, or never added. */
  readonly ownerUnlisted: boolean;
  /** The unit whose run counts, and its name. */
  readonly unit: UnitFacts | undefined;
  readonly unitName: string;
  /**
   * Whether its process lives, from systemd, from who listens on its ports, and from who answers there. A systemd that
   * does not answer says nothing: unknown, and then nothing is restarted or killed.
   */
  readonly process: 'alive' | 'dead' | 'unknown';
  /** Its database has applied entries that its log, which is whole, lacks: they were acknowledged and are lost. */
  readonly logShort: boolean;
  /** Its last run ended by itself, and badly: it was not stopped. */
  readonly crashed: boolean;
  /** It answers a linearizable read, and as the member that the cluster lists for this node. */
  readonly servesAsOwn: boolean;
  /** What the cluster says of this node: nothing, that it lists it, has added it and never seen it start, or does not list it. */
  readonly membership: 'unknown' | 'listed' | 'unstarted' | 'unlisted';
  /**
   * Its member is known to have run: the cluster lists its client URLs, which it publishes when it first serves, as etcd
   * asks it itself (etcdserver/cluster_util.go, isMemberBootstrapped), or this node's own mark says so. Founders are
   * listed by their names before they have ever been started.
   */
  readonly hasRun: boolean;
  /**
   * Its data have committed more than any of those that serve knows, or are of a later term, and no person has given that
   * up: the cluster was restored or founded anew without them.
   */
  readonly ahead: boolean;
  /** A person has accepted to lose what these very data have committed (`heal-node adopt --discard-ahead`). */
  readonly givenUp: boolean;
  /** The ID of the cluster whose data these are, or as whose member it runs, where the one that serves is another. */
  readonly otherCluster: string | undefined;
  /** Why the cluster that serves is not the one that this node remembers, as a sentence. */
  readonly birthmarkMismatch: string | undefined;
  /** In TLS mode its certificates are gone, while others of the app's nodes are there: which, as a sentence. */
  readonly certificatesMissing: string | undefined;
  /**
   * Certificates and data are gone together, with etcd in TLS mode: a heal brings the certificates back first. Where data
   * are left, nothing is to be replaced, and what is wrong with the certificates is for a person to find out.
   */
  readonly certificatesToBring: boolean;
  /** The etcd of this node is older than the cluster, which would not let it join: both versions, as a sentence. */
  readonly etcdTooOld: string | undefined;
  /** The words with which that run ended, the last of them last. */
  readonly words: readonly string[];
  /**
   * The data, or the process on them, are those of a member that the cluster lists for another node; and who
   * serves as that member there, if somebody does.
   */
  readonly foreign: { readonly member: Member; readonly servedBy: string | undefined } | undefined;
  /** The process lives, and has done something since the look began. */
  readonly progresses: boolean;
  /**
   * The place of the data is known, and nothing stands there, or nothing but a founding: one of which no leader has come,
   * or one on a node that has been a member of a cluster with more. In a cluster in which nobody has written anything
   * yet, a founding is all the data there are.
   */
  readonly dataGone: boolean;
  /** Facts prove that it cannot come back with the data it has (src/diagnose/stale-proofs.ts); or they are a clone's, or differ. */
  readonly provenStale: boolean;
  /** This member alone differs from the others, which agree, and the settings say to heal that. */
  readonly diverged: boolean;
  /** A trace of a swap is there: the unit's or the environment's copy, saved originals, or etcd runs on the copy. */
  readonly swapped: boolean;
  /** The data are those of the member that the cluster lists for this node, and nothing proves them bad. */
  readonly joined: boolean;
}

/** A deep check older than this says nothing about now. */
const DIVERGENCE_MS = 15 * 60_000;

const membershipOf = ({ members, own }: ClusterView): Situation['membership'] =>
  members.length === 0
    ? 'unknown'
    : own === undefined
      ? 'unlisted'
      : own.name === ''
        ? 'unstarted'
        : 'listed';

function processOf({ unit, copyUnit, host, self }: Observation): Situation['process'] {
  const answers = self?.reply.ok === true;
  const stray = host?.ok === true && host.value.strayEtcds.length > 0;
  const pid = [unit, copyUnit].some((facts) => facts.ok && facts.value.mainPid > 0);
  if (answers || stray || pid) return 'alive';
  return unit.ok && copyUnit.ok ? 'dead' : 'unknown';
}

/** `3.4.23` → 3.4 as a number that can be compared: a cluster's version is that of its oldest member, less the patch. */
const minorOf = (version: string): number => {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) * 1000 + Number(minor);
};

function etcdTooOld({ host }: Observation, { serving }: ClusterView): string | undefined {
  const own = host?.ok ? host.value.etcdVersion : '';
  const [oldest] = serving
    .map(({ reply }) => reply.version)
    .filter((version) => !Number.isNaN(minorOf(version)))
    .sort((a, b) => minorOf(a) - minorOf(b));
  return own !== '' && oldest !== undefined && minorOf(own) < minorOf(oldest)
    ? `its etcd is ${own}, that of the others at least ${oldest}`
    : undefined;
}

function certificatesMissing({ app, tls, mark }: Observation): string | undefined {
  // While a cluster is being created, or a node added, there are none, and the app's start makes or fetches them.
  if (!app.ok || tls === undefined || app.value.isAdded || app.value.nodes.length < 2) return undefined;
  const { missing, othersThere } = tls;
  return mark.wasMember || othersThere
    ? `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`
    : undefined;
}

export function situationOf(observed: Observation, places: Places): Situation {
  const config = observed.config.ok ? observed.config.value : undefined;
  const cluster = clusterView(config, observed.others, observed.changedList);
  const inForce = unitInForce(observed.unit, observed.copyUnit, observed.swap);
  const unit = inForce.ok ? inForce.value : undefined;
  const process = processOf(observed);
  const self = observed.self?.reply.ok ? observed.self.reply.value : undefined;
  const { data, mark, examination, swap, divergence, discardAhead, process: sample } = observed;
  const dataGone = data.kind === 'none' || (data.kind === 'founding' && (mark.wasMember || !data.elected));
  const owner =
    data.kind !== 'unknown' && !dataGone && data.memberId !== ''
      ? { memberId: data.memberId, clusterId: data.clusterId }
      : undefined;
  const ownerId = self?.memberId ?? owner?.memberId;
  const ofOwner = cluster.known.filter(({ id }) => id === ownerId);
  const isOurs = config && ofOwner.some((each) => isOwn(each, config) || each.id === cluster.renamed?.id);
  const foreign = isOurs === false ? ofOwner[0] : undefined;
  const diverged =
    divergence?.confirmed === true &&
    divergence.heals &&
    divergence.memberId === owner?.memberId &&
    Math.abs(observed.atMs - divergence.atMs) < DIVERGENCE_MS;
  const { commit = 0n, lastTerm = 0n } = examination ?? {};
  const givenUp =
    examination !== undefined &&
    discardAhead !== undefined &&
    discardAhead.memberId === owner?.memberId &&
    commit <= BigInt(discardAhead.commit);
  const words = observed.log.ok && unit ? lastWords(observed.log.value, unit) : [];
  const bare: Omit<Situation, 'provenStale' | 'joined'> = {
    observed,
    config,
    self,
    cluster,
    examination,
    owner,
    ownerUnlisted:
      data.memberId !== '' &&
      data.clusterId === cluster.clusterId &&
      !cluster.members.some(({ id }) => id === data.memberId),
    unit,
    unitName: inForce === observed.copyUnit ? places.copyUnit : places.unit,
    process,
    logShort: examination?.kind === 'whole' && examination.logShort,
    crashed:
      process === 'dead' &&
      unit !== undefined &&
      unit.exitKind !== 0 &&
      unit.result !== 'success' &&
      unit.active !== 'active',
    servesAsOwn:
      self?.serves === true && process === 'alive' && (!cluster.own || cluster.own.id === self.memberId),
    membership: membershipOf(cluster),
    hasRun: mark.wasMember || (cluster.own?.clientUrls.length ?? 0) > 0,
    // raft asks for the term of the last entry before its index: one of a later term than the cluster is in is of another
    // history, and would win an election (raft/log.go, isUpToDate).
    ahead:
      owner !== undefined &&
      !givenUp &&
      ((commit > 0n && cluster.serving.every(({ reply }) => reply.raftIndex < commit)) ||
        (lastTerm > 0n && cluster.serving.every(({ reply }) => reply.term < lastTerm))),
    givenUp,
    otherCluster:
      cluster.clusterId === ''
        ? undefined
        : [self?.clusterId, owner?.clusterId].find((id) => id !== undefined && id !== cluster.clusterId),
    birthmarkMismatch: birthmarkMismatch(mark.birthmark, cluster),
    certificatesMissing: certificatesMissing(observed),
    certificatesToBring: certificatesMissing(observed) !== undefined && config?.tls !== undefined && dataGone,
    etcdTooOld: etcdTooOld(observed, cluster),
    words: words.map((word) => word.trim().slice(0, 500)),
    foreign: foreign && {
      member: foreign,
      servedBy: cluster.serving.find(({ reply }) => reply.memberId === foreign.id)?.endpoint,
    },
    progresses:
      process === 'alive' &&
      (sample === undefined ||
        (!['T', 't', 'Z'].includes(sample.state) && sample.cpuTicks + sample.ioBytes > 0)),
    dataGone,
    diverged,
    swapped:
      swap.copyUnitFile !== 'none' ||
      swap.copyEnv ||
      swap.originals ||
      swap.pointsAway ||
      (observed.copyUnit.ok && observed.copyUnit.value.mainPid > 0),
  };
  const asked = { ...bare, provenStale: false, joined: false };
  // A log that is being written reads as torn: only that of a dead process proves anything.
  const provenStale =
    diverged ||
    bare.foreign?.servedBy !== undefined ||
    staleProofs.some(
      ({ shows, whileStarting }) => (process === 'dead' || whileStarting) && shows(asked) !== undefined,
    );
  // A member that was added and has just begun to receive its data has no more than a founding has.
  const begins = data.kind === 'founding' && bare.membership === 'unstarted';
  return {
    ...bare,
    provenStale,
    joined:
      (owner !== undefined || begins) &&
      data.memberId === cluster.own?.id &&
      !provenStale &&
      !(process === 'dead' && examination?.kind === 'damaged'),
  };
}
