import * as v from 'valibot';
import type { Alarm, MemberReply } from './cluster.ts';

/**
 * etcd's replies (etcdserver/etcdserverpb/rpc.proto), untrusted. 64-bit numbers come as bigints from etcdctl's
 * JSON, read without loss, and as text from the gateway's, which is protobuf's own JSON.
 */
const number64 = v.pipe(
  v.optional(v.union([v.bigint(), v.pipe(v.string(), v.regex(/^-?\d{1,20}$/))]), 0n),
  v.transform((value) => BigInt(value)),
);

/** IDs as hexadecimal text, as etcdctl prints them. */
const id = v.pipe(
  number64,
  v.transform((value) => BigInt.asUintN(64, value).toString(16)),
);

const texts = v.optional(v.array(v.string()), []);

export const header = v.object({ cluster_id: id, member_id: id, revision: number64 });

export const member = v.pipe(
  v.object({ ID: id, name: v.optional(v.string(), ''), peerURLs: texts, clientURLs: texts }),
  v.transform((m) => ({ id: m.ID, name: m.name, peerUrls: m.peerURLs, clientUrls: m.clientURLs })),
);

const members = v.pipe(v.array(member), v.maxLength(100));

export const memberList = v.object({ header, members });
export const memberAdded = v.object({ member, members });
export const anyReply = v.object({ header });

export const status = v.object({
  header,
  version: v.optional(v.string(), ''),
  dbSize: number64,
  leader: id,
  raftIndex: number64,
  raftTerm: number64,
  // etcd 3.4: a missing leader and every alarm, as text (etcdserver/api/v3rpc/maintenance.go, Status).
  errors: texts,
});

export const lease = v.object({ header, ID: number64 });
const range = v.optional(v.object({ kvs: v.optional(v.array(v.object({ value: v.string() })), []) }));
const transaction = <R extends v.GenericSchema>(response: R) =>
  v.object({
    header,
    succeeded: v.optional(v.boolean(), false),
    responses: v.optional(v.array(response), []),
  });

/** A transaction of one compare, what the branch that was taken has read: of the gateway, and of etcdctl. */
export const claimed = transaction(v.object({ response_range: range }));
export const ctlClaimed = transaction(v.object({ Response: v.object({ ResponseRange: range }) }));

/** `memberID:10501334649042878790 alarm:NOSPACE `: the text of an AlarmMember. */
const alarmsOf = (errors: readonly string[]): Alarm[] =>
  errors.flatMap((text) => {
    const [, memberId, alarm] = /^memberID:(\d{1,20}) alarm:([A-Z]+)/.exec(text.trim()) ?? [];
    return memberId && alarm ? [{ memberId: BigInt(memberId).toString(16), alarm }] : [];
  });

export const hashKv = v.object({ hash: number64, compact_revision: number64 });

/** One member's answer from its three replies; `servesNot` is why the linearizable read failed, empty when it did not. */
export function memberReply(
  list: v.InferOutput<typeof memberList>,
  state: v.InferOutput<typeof status>,
  servesNot: string,
  clockSkewMs?: number,
): MemberReply {
  return {
    clusterId: list.header.cluster_id,
    memberId: list.header.member_id,
    members: list.members,
    leader: state.leader,
    term: state.raftTerm,
    raftIndex: state.raftIndex,
    revision: state.header.revision,
    dbSizeBytes: Number(state.dbSize),
    version: state.version,
    alarms: alarmsOf(state.errors),
    clockSkewMs,
    serves: servesNot === '',
    servesNot,
  };
}
