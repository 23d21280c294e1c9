import type * as v from 'valibot';
import type { kvs, memberReply } from './replies.ts';

/** A member as the cluster lists it. IDs are hexadecimal text: as JavaScript numbers they lose digits. */
export interface Member {
  readonly id: string;
  /** Empty until it has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  /** It has no vote (etcd 3.4, raft learner), and answers no linearizable read. */
  readonly isLearner?: boolean;
}

export interface Alarm {
  readonly memberId: string;
  /** NOSPACE or CORRUPT (etcdserver/etcdserverpb/rpc.proto, AlarmType). */
  readonly alarm: string;
}

/** What one member says of itself and of the cluster. */
export type MemberReply = Readonly<ReturnType<typeof memberReply>>;

/** A value under a key, and the ID of the lease that it goes with, as hexadecimal text; empty without one. */
export type LeasedValue = Readonly<Pick<v.InferOutput<typeof kvs>['kvs'][number], 'value' | 'lease'>>;

/** The ID of a member that was added, and the list with it. */
type Added = { readonly id: string; readonly members: readonly Member[] };

/** The hash of a member's keys; those of two members can be compared where both were compacted at the same revision. */
type DataHash = Readonly<Record<'hash' | 'compactRevision', string>>;

/** What the cluster answered to a call that changes it, or why there is no answer. */
export class ClusterError extends Error {
  constructor(
    message: string,
    /** Known to pass by itself: worth asking again. The call may have taken effect all the same. */
    readonly transient: boolean,
  ) {
    super(message);
  }
}

/** The one seam to the cluster. Endpoints are client URLs. */
export interface Cluster {
  /** Asks one member; throws when it does not answer. */
  ask(endpoint: string): Promise<MemberReply>;
  /** Whether one member answers a linearizable read right now: undefined, or why not. Never throws. */
  whyNotServing(endpoint: string): Promise<string | undefined>;
  /**
   * Removes one member and returns the list without it.
   * @throws ClusterError. A member that is not listed is an error too: look at the list first.
   */
  removeMember(endpoints: readonly string[], memberId: string): Promise<readonly Member[]>;
  /** Has one member listed by other peer URLs; returns the new list. @throws ClusterError */
  updateMember(endpoints: readonly string[], id: string, urls: readonly string[]): Promise<Added['members']>;
  /** Adds one voter; returns its ID and the list with it. @throws ClusterError */
  addMember(endpoints: readonly string[], name: string, peerUrls: readonly string[]): Promise<Added>;
  /**
   * What stands under a key, and the lease that it goes with, if any; now, or at a revision.
   * @throws ClusterError, also for a revision that was compacted or is to come
   */
  get(endpoints: readonly string[], key: string, revision?: bigint): Promise<LeasedValue | undefined>;
  /** Puts a key that is not there yet, with a lease or without; false when it is. @throws ClusterError */
  putIfAbsent(endpoints: readonly string[], key: string, held: LeasedValue): Promise<boolean>;
  /** A lease of so many seconds; its keys go with it. @throws ClusterError */
  grantLease(endpoints: readonly string[], ttlSec: number): Promise<string>;
  /** Its seconds begin anew. @throws ClusterError, also when it has run out */
  keepAlive(endpoints: readonly string[], lease: string): Promise<void>;
  /** Ends a lease, and its keys. @throws ClusterError, also when it has run out */
  revokeLease(endpoints: readonly string[], lease: string): Promise<void>;
  /**
   * The hash of all keys up to a revision, of one member, which serves no write for as long as it hashes. It is asked
   * once: after `limitMs` it may still be at it, and a second question would make it begin anew beside that.
   * @throws when it does not answer in time, or refuses
   */
  hashKv(endpoint: string, revision: bigint, limitMs: number): Promise<DataHash>;
  /**
   * Takes back one kind of alarm of one member, and no other: etcdctl can only take back all of all members.
   * @throws when no member does it
   */
  disarm(endpoints: readonly string[], alarm: Alarm): Promise<void>;
}
