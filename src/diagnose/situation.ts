import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../node/etcd-config.ts';
import type { Places } from '../node/places.ts';
import type { UnitFacts } from '../node/systemctl.ts';
import type { WalFacts } from '../node/wal.ts';
import { unitInForce } from '../observe/look-at-units.ts';
import type { Observation } from '../observe/observation.ts';
import { type ClusterView, clusterView } from './cluster-view.ts';
import { type Signature, signatures } from './signatures.ts';

export interface Matched {
  readonly signature: Signature;
  readonly line: string;
}

/** An observation with what follows from it at once: what rules, guards and steps ask for. Pure. */
export interface Situation {
  readonly seen: Observation;
  readonly config: EtcdConfig | undefined;
  readonly cluster: ClusterView;
  readonly wal: WalFacts | undefined;
  /** The unit whose run counts, and its name. */
  readonly unit: UnitFacts | undefined;
  readonly unitName: string;
  /** Its process lives. */
  readonly runs: boolean;
  /** It answers, and as the member that the cluster lists for this node. */
  readonly servesAsOwn: boolean;
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

export function situationOf(seen: Observation, places: Places): Situation {
  const config = seen.config.ok ? seen.config.value : undefined;
  const cluster = clusterView(config, seen.others, seen.changedList);
  const wal = seen.data.wal?.ok ? seen.data.wal.value : undefined;
  const inForce = unitInForce(seen.unit, seen.unit1, seen.swap);
  const unit = inForce.ok ? inForce.value : undefined;
  const runs = (unit?.mainPid ?? 0) > 0;
  const lines = seen.log.ok ? seen.log.value : [];
  const matched = signatures.flatMap((signature) => {
    const line = lines.findLast((text) => signature.pattern.test(text));
    return line === undefined ? [] : [{ signature, line: line.trim().slice(0, 500) }];
  });
  const selfId = seen.self?.reply.ok ? seen.self.reply.value.memberId : undefined;
  const { swap, process, divergence } = seen;
  const ownerId = selfId ?? wal?.memberId;
  const foreign =
    config && cluster.members.find((member) => member.id === ownerId && member.id !== cluster.own?.id);
  const { db } = seen.data;
  const dbCut = db !== undefined && db.bytes < db.neededBytes;
  const diverged =
    divergence?.confirmed === true &&
    divergence.heals &&
    divergence.memberId === wal?.memberId &&
    seen.atMs - divergence.atMs < DIVERGENCE_MS;
  const provedBad = dbCut || diverged || matched.some(({ signature }) => signature.proves === 'stale');
  return {
    seen,
    config,
    cluster,
    wal,
    unit,
    unitName: inForce === seen.unit1 ? places.unit1 : places.unit,
    runs,
    servesAsOwn:
      seen.health.state === 'true' && selfId !== undefined && (!cluster.own || cluster.own.id === selfId),
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
    diverged,
    swapped:
      swap.unit1File !== 'none' ||
      swap.env1 ||
      swap.originals ||
      swap.pointsAway ||
      (seen.unit1.ok && seen.unit1.value.mainPid > 0),
    joined: wal !== undefined && wal.damage === undefined && wal.memberId === cluster.own?.id && !provedBad,
  };
}

/** The line of a signature in the log of the run that counts, if it is there. */
export const lineOf = (situation: Situation, id: string): string | undefined =>
  situation.matched.find(({ signature }) => signature.id === id)?.line;
