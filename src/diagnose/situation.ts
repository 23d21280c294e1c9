import { hasNewUrls } from '../machine/etcd/etcd-config.ts';
import { lastWords } from '../machine/etcd/log-lines.ts';
import { unitInForce } from '../observe/look-at-units.ts';
import type { Observation } from '../observe/observation.ts';
import type { Places } from '../state/places.ts';
import { birthmarkMismatch } from './birthmark-mismatch.ts';
import { type ClusterView, clusterView, isOwn } from './cluster-view.ts';
import { staleProofs } from './stale-proofs.ts';

/** An observation with what follows from it at once: what rules, guards, gate and steps ask for. */
export type Situation = Readonly<ReturnType<typeof situationOf>>;

/** The same without what the proofs of stale data say: what they go by. */
export type BareSituation = Readonly<ReturnType<typeof bareSituation>>;

/** A deep check older than this says nothing about now. */
const DIVERGENCE_MS = 15 * 60_000;

type Membership = 'unknown' | 'listed' | 'unstarted' | 'unlisted';

/** What the cluster says of this node: nothing, that it lists it, has added it and never seen it start, or does not list it. */
function membershipOf({ members, own }: ClusterView, former: readonly string[]): Membership {
  if (members.length === 0) return 'unknown';
  if (own === undefined) return 'unlisted';
  // One that was added by URLs that this node had before, and has not been started, is to be removed as well.
  return own.name === '' && !own.peerUrls.some((url) => former.includes(url)) ? 'unstarted' : 'listed';
}

/**
 * Whether its process lives, from systemd, from who listens on its ports, and from who answers there. A systemd that does
 * not answer says nothing: unknown, and then nothing is restarted or killed.
 */
function processOf({ unit, copyUnit, host, self }: Observation): 'alive' | 'dead' | 'unknown' {
  const stray = host?.ok === true && host.value.strayEtcds.length > 0;
  const pid = [unit, copyUnit].some((facts) => facts.ok && facts.value.mainPid > 0);
  if (self?.reply.ok || stray || pid) return 'alive';
  return unit.ok && copyUnit.ok ? 'dead' : 'unknown';
}

/** `3.4.23` → 3.4 as a number that can be compared: a cluster's version is that of its oldest member, less the patch. */
const minorOf = (version: string): number => {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) * 1000 + Number(minor);
};

/** The etcd of this node is older than the cluster, which would not let it join: both versions, as a sentence. */
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

/**
 * In TLS mode certificates that it can use are missing, while others of the app's nodes are there: which are gone, or what
 * is wrong with those that are there, as a sentence.
 */
function certificatesMissing({ app, tls, mark }: Observation): string | undefined {
  // While a cluster is being created, or a node added, there are none, and the app's start makes or fetches them.
  if (!app.ok || tls === undefined || app.value.isAdded || app.value.nodes.length < 2) return undefined;
  const { missing, faults, othersThere } = tls;
  if (!(mark.wasMember || othersThere)) return undefined;
  return faults[0] ?? `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing`;
}

function bareSituation(observed: Observation, places: Places) {
  const config = observed.config.ok ? observed.config.value : undefined;
  const cluster = clusterView(config, observed.others, observed.changedList);
  const inForce = unitInForce(observed.unit, observed.copyUnit, observed.swap);
  const unit = inForce.ok ? inForce.value : undefined;
  const process = processOf(observed);
  const self = observed.self?.reply.ok ? observed.self.reply.value : undefined;
  const { data, mark, examination, swap, divergence, discardAhead, process: sample } = observed;
  const dataGone = data.kind === 'none' || (data.kind === 'founding' && (mark.wasMember || !data.elected));
  const isCalledAnew = config !== undefined && hasNewUrls(config);
  const awaitsUrls = config !== undefined && config.otherPeerUrls.length > 0 && !isCalledAnew;
  const owner =
    data.kind !== 'unknown' && !dataGone && data.memberId !== ''
      ? { memberId: data.memberId, clusterId: data.clusterId }
      : undefined;
  const ofOwner = cluster.known.filter(({ id }) => id === (self?.memberId ?? owner?.memberId));
  const isOurs = config && ofOwner.some((each) => isOwn(each, config) || each.id === cluster.renamed?.id);
  const foreign = isOurs === false ? ofOwner[0] : undefined;
  const diverged =
    divergence?.confirmed === true &&
    divergence.heals &&
    divergence.memberId === owner?.memberId &&
    Math.abs(observed.atMs - divergence.atMs) < DIVERGENCE_MS;
  const { commit = 0n, lastTerm = 0n, logRead, brokenOff, logShort } = examination ?? {};
  // A log that breaks off, is too short, or was not read to its end may have committed more: what was said of this member
  // holds.
  const mayBeMore = logRead === false || brokenOff || logShort;
  const isOfThese = (note?: { readonly memberId: string; readonly commit?: string | undefined }): boolean =>
    note?.commit !== undefined &&
    note.memberId === owner?.memberId &&
    (mayBeMore ? commit <= BigInt(note.commit) : note.commit === examination?.commit.toString());
  const givenUp = isOfThese(discardAhead);
  const saidAhead = isOfThese(observed.noted) ? observed.noted?.why : undefined;
  const words = observed.log.ok && unit ? lastWords(observed.log.value, unit) : [];
  return {
    observed,
    config,
    /** What this member says of itself; undefined when it does not answer. */
    self,
    cluster,
    /** What was read of the data (src/observe/observation.ts). */
    examination,
    /** Whose data these are; undefined where there are none, nothing but a founding, or their log does not say. */
    owner,
    /** The log is that of a member of this cluster that a quorum agrees not to list: it was removed, or never added. */
    ownerUnlisted:
      cluster.hasQuorumWithoutSelf &&
      data.clusterId === cluster.clusterId &&
      !cluster.members.some(({ id }) => id === data.memberId),
    /** The unit whose run counts, and its name. */
    unit,
    unitName: inForce === observed.copyUnit ? places.copyUnit : places.unit,
    process,
    /** Its database has applied entries that its log, which is whole, lacks: they were acknowledged and are lost. */
    logShort: examination?.kind === 'whole' && examination.logShort,
    /** Its last run ended by itself, and badly: it was not stopped. */
    crashed:
      process === 'dead' &&
      unit !== undefined &&
      unit.exitKind !== 0 &&
      unit.result !== 'success' &&
      unit.active !== 'active',
    /** It answers a linearizable read, and as the member that the cluster lists for this node. */
    servesAsOwn:
      self?.serves === true && process === 'alive' && (!cluster.own || cluster.own.id === self.memberId),
    membership: membershipOf(cluster, isCalledAnew ? config.otherPeerUrls : []),
    /**
     * Its member is known to have run: the cluster lists its client URLs, which it publishes when it first serves, as etcd
     * asks it itself (etcdserver/cluster_util.go, isMemberBootstrapped), or this node's own mark says so. Founders are
     * listed by their names before they have ever been started.
     */
    hasRun: mark.wasMember || (cluster.own?.clientUrls.length ?? 0) > 0,
    /**
     * Its data have committed more than any of those that serve knows, or are of a later term, and no person has given that
     * up: the cluster was restored or founded anew without them. raft asks for the term of the last entry before its index:
     * one of a later term than the cluster is in is of another history, and would win an election (raft/log.go,
     * isUpToDate).
     */
    ahead:
      owner !== undefined &&
      !givenUp &&
      (saidAhead !== undefined ||
        (cluster.serving.length > 0 &&
          ((commit > 0n && cluster.serving.every(({ reply }) => reply.raftIndex < commit)) ||
            (lastTerm > 0n && cluster.serving.every(({ reply }) => reply.term < lastTerm))))),
    /** A person has accepted to lose what these very data have committed (`heal-node adopt --discard-ahead`). */
    givenUp,
    /** That it was so, as the gate has noted it of these very data; also where they could not be read to their end. */
    saidAhead,
    /** The ID of the cluster whose data these are, or as whose member it runs, where the one that serves is another. */
    otherCluster:
      cluster.clusterId === ''
        ? undefined
        : [self?.clusterId, owner?.clusterId].find((id) => id !== undefined && id !== cluster.clusterId),
    /** Why the cluster that serves is not the one that this node remembers, as a sentence. */
    birthmarkMismatch: birthmarkMismatch(mark.birthmark, cluster),
    /** Who has paused heals here or in the whole cluster, until when and why, as a sentence; undefined as a rule. */
    paused: [observed.pause, cluster.pause].filter((each) => each !== undefined).join('; ') || undefined,
    certificatesMissing: certificatesMissing(observed),
    /**
     * Certificates are gone with the data, or those that are there are not what the app has given its nodes since, with etcd
     * in TLS mode: a heal brings the others' first. Where data are left under the old URLs, nothing is to be replaced, and
     * what is wrong with the certificates is for a person to find out.
     */
    certificatesToBring:
      certificatesMissing(observed) !== undefined && config?.tls !== undefined && (dataGone || isCalledAnew),
    /** Since its unit is aside the app has given its nodes other URLs; and what was staged has the old ones. */
    hasNewUrls: isCalledAnew,
    /**
     * The app is giving its nodes other URLs, and a quorum answers by the old still. While the unit is aside the app leaves
     * this node out (docs/platform.md, "The app's verbs").
     */
    awaitsUrls,
    /** The same with other names, and certificates of a new authority. */
    awaitsNames:
      awaitsUrls && observed.app.ok && observed.app.value.tls && (config.tls ?? observed.tls) !== undefined,
    /** Its unit is back, and the app's start, which was to write etcd.env anew, was cut off. */
    isEnvOld: isCalledAnew && swap.unitFile === 'file',
    stagedBefore: (isCalledAnew || (awaitsUrls && cluster.answered)) && swap.staged?.asOriginal === false,
    etcdTooOld: etcdTooOld(observed, cluster),
    /** The words with which that run ended, the last of them last. */
    words: words.map((word) => word.trim().slice(0, 500)),
    /**
     * The data, or the process on them, are those of a member that the cluster lists for another node; and who
     * serves as that member there, if somebody does.
     */
    foreign: foreign && {
      member: foreign,
      servedBy: cluster.serving.find(({ reply }) => reply.memberId === foreign.id)?.endpoint,
    },
    /** The process lives, and has done something since the look began. */
    progresses:
      process === 'alive' &&
      (sample === undefined ||
        (!['T', 't', 'Z'].includes(sample.state) && sample.cpuTicks + sample.ioBytes > 0)),
    /**
     * The place of the data is known, and nothing stands there, or nothing but a founding: one of which no leader has come,
     * or one on a node that has been a member of a cluster with more. In a cluster in which nobody has written anything
     * yet, a founding is all the data there are.
     */
    dataGone,
    /** This member alone differs from the others, which agree, and the settings say to heal that. */
    diverged,
    /** A trace of a swap is there: the unit's or the environment's copy, saved originals, or etcd runs on the copy. */
    swapped:
      swap.copyUnitFile !== 'none' ||
      swap.copyEnv ||
      swap.originals ||
      swap.pointsAway ||
      (observed.copyUnit.ok && observed.copyUnit.value.mainPid > 0),
  };
}

/** Pure. */
export function situationOf(observed: Observation, places: Places) {
  const bare = bareSituation(observed, places);
  const { process, owner, cluster, examination } = bare;
  const { data } = observed;
  // A log that is being written reads as torn: only that of a dead process proves anything.
  const provenStale =
    bare.diverged ||
    bare.foreign?.servedBy !== undefined ||
    Object.values(staleProofs).some(
      (proof) => (process === 'dead' || proof.whileStarting) && proof.holds(bare),
    );
  // A member that was added and has just begun to receive its data has no more than a founding has.
  const begins = data.kind === 'founding' && bare.membership === 'unstarted';
  return {
    ...bare,
    /** Facts prove that it cannot come back with the data it has (src/diagnose/stale-proofs.ts); or they are a clone's, or differ. */
    provenStale,
    /** The data are those of the member that the cluster lists for this node, and nothing proves them bad. */
    joined:
      (owner !== undefined || begins) &&
      data.memberId === cluster.own?.id &&
      !provenStale &&
      !(process === 'dead' && examination?.kind === 'damaged'),
  };
}
