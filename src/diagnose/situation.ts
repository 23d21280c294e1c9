import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';
import type { WalFacts } from '../machine/etcd/wal.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import { unitInForce } from '../observe/look-at-units.ts';
import type { Observation } from '../observe/observation.ts';
import type { Places } from '../state/places.ts';
import { birthmarkMismatch } from './birthmark-mismatch.ts';
import { type ClusterView, clusterView } from './cluster-view.ts';
import { faultSignatures } from './local-faults.ts';
import { type Signature, signatures } from './signatures.ts';

/** Every line that is looked for: of a stale member, and of a fault of this machine. */
export const allSignatures: readonly Signature[] = [...signatures, ...faultSignatures];

interface Matched {
  readonly signature: Signature;
  readonly line: string;
}

/** An observation with what follows from it at once: what rules, guards and steps ask for. Pure. */
export interface Situation {
  readonly observed: Observation;
  readonly config: EtcdConfig | undefined;
  readonly cluster: ClusterView;
  readonly wal: WalFacts | undefined;
  /** The unit whose run counts, and its name. */
  readonly unit: UnitFacts | undefined;
  readonly unitName: string;
  /** Its process lives. */
  readonly runs: boolean;
  /** Its last run ended by itself, and badly: it was not stopped. */
  readonly crashed: boolean;
  /** It answers, and as the member that the cluster lists for this node. */
  readonly servesAsOwn: boolean;
  /** What the cluster says of this node: nothing, that it lists it, has added it and never seen it start, or does not list it. */
  readonly membership: 'unknown' | 'listed' | 'unstarted' | 'unlisted';
  /** Its data have committed more than any of those that serve knows. */
  readonly ahead: boolean;
  /** The ID of the cluster whose data these are, or as whose member it runs, where the one that serves is another. */
  readonly otherCluster: string | undefined;
  /** Why the cluster that serves is not the one that this node remembers, as a sentence. */
  readonly birthmarkMismatch: string | undefined;
  /** Signatures in the log of that run. */
  readonly matched: readonly Matched[];
  /** `snap/db` is shorter than its own meta pages say it must be. */
  readonly dbCut: boolean;
  /**
   * The data, or the process on them, are those of a member that the cluster lists for another node; and who
   * serves as that member there, if somebody does.
   */
  readonly foreign: { readonly member: Member; readonly servedBy: string | undefined } | undefined;
  /** The process lives, and has done something since the look began. */
  readonly progresses: boolean;
  /** The place of the data is known, and no WAL stands there. */
  readonly dataGone: boolean;
  /** This boot's evidence and the world say that it cannot come back with the data it has. */
  readonly provenStale: boolean;
  /** This member alone differs from the others, which agree, and the settings say to heal that. */
  readonly diverged: boolean;
  /** A trace of a swap is there: the unit's or the environment's copy, saved originals, or etcd runs on the copy. */
  readonly swapped: boolean;
  /**
   * The data are those of the member that the cluster lists for this node, and nothing in this boot has proved
   * them bad.
   */
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

export function situationOf(observed: Observation, places: Places): Situation {
  const config = observed.config.ok ? observed.config.value : undefined;
  const cluster = clusterView(config, observed.others, observed.changedList);
  const wal = observed.data.wal?.ok ? observed.data.wal.value : undefined;
  const inForce = unitInForce(observed.unit, observed.copyUnit, observed.swap);
  const unit = inForce.ok ? inForce.value : undefined;
  const runs = (unit?.mainPid ?? 0) > 0;
  const lines = observed.log.ok ? observed.log.value : [];
  const matched = allSignatures.flatMap((signature) => {
    const line = lines.findLast((text) => signature.pattern.test(text));
    return line === undefined ? [] : [{ signature, line: line.trim().slice(0, 500) }];
  });
  const self = observed.self?.reply.ok ? observed.self.reply.value : undefined;
  const selfId = self?.memberId;
  const { swap, process, divergence } = observed;
  const ownerId = selfId ?? wal?.memberId;
  const foreign =
    config && cluster.members.find((member) => member.id === ownerId && member.id !== cluster.own?.id);
  const { db } = observed.data;
  const dbCut = db !== undefined && db.bytes < db.neededBytes;
  const diverged =
    divergence?.confirmed === true &&
    divergence.heals &&
    divergence.memberId === wal?.memberId &&
    observed.atMs - divergence.atMs < DIVERGENCE_MS;
  const dataGone = observed.data.kind === 'empty' || observed.data.kind === 'no-wal';
  const provedBad = dbCut || diverged || matched.some(({ signature }) => signature.proves === 'stale');
  return {
    observed,
    config,
    cluster,
    wal,
    unit,
    unitName: inForce === observed.copyUnit ? places.copyUnit : places.unit,
    runs,
    crashed:
      unit !== undefined && unit.exitKind !== 0 && unit.result !== 'success' && unit.active !== 'active',
    servesAsOwn:
      observed.health.state === 'true' && selfId !== undefined && (!cluster.own || cluster.own.id === selfId),
    membership: membershipOf(cluster),
    ahead:
      wal !== undefined &&
      wal.commit > 0n &&
      cluster.serving.every(({ reply }) => reply.raftIndex < wal.commit),
    otherCluster:
      cluster.clusterId === ''
        ? undefined
        : [self?.clusterId, wal?.clusterId].find((id) => id !== undefined && id !== cluster.clusterId),
    birthmarkMismatch: birthmarkMismatch(observed.birthmark, cluster),
    matched,
    dbCut,
    foreign: foreign && {
      member: foreign,
      servedBy: cluster.serving.find(({ reply }) => reply.memberId === foreign.id)?.endpoint,
    },
    progresses:
      runs &&
      (process === undefined ||
        (!['T', 't', 'Z'].includes(process.state) && process.cpuTicks + process.ioBytes > 0)),
    dataGone,
    provenStale: provedBad || dataGone || (wal && wal.memberId !== cluster.own?.id) === true,
    diverged,
    swapped:
      swap.copyUnitFile !== 'none' ||
      swap.copyEnv ||
      swap.originals ||
      swap.pointsAway ||
      (observed.copyUnit.ok && observed.copyUnit.value.mainPid > 0),
    joined: wal !== undefined && wal.damage === undefined && wal.memberId === cluster.own?.id && !provedBad,
  };
}

/** The line of a signature in the log of the run that counts, if it is there. */
export const lineOf = (situation: Situation, id: string): string | undefined =>
  situation.matched.find(({ signature }) => signature.id === id)?.line;
