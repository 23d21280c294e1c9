import { BYTES, readMessage, VARINT } from './protobuf.ts';

/** raft/raftpb/raft.proto, `Entry`; EntryNormal is 0, EntryConfChange 1. */
export const ENTRY = { 1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES } as const;
/** raft/bootstrap.go: the members of the first configuration are appended in it. */
export const FOUNDING_TERM = 1;
const CONF_CHANGE = { 1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES } as const;
/** etcdserver/etcdserverpb/etcdserver.proto, `Request`. */
const REQUEST = { 1: VARINT, 2: BYTES, 3: BYTES, 4: BYTES } as const;

const text = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');

/**
 * Requests to etcd's old store that are no client's write (etcdserver/server.go): what members publish of themselves
 * and of the cluster's version; reads, of which `/health` sends one each time (etcdserver/api/etcdhttp/metrics.go);
 * and the leader's tick.
 */
function leavesNothing(bytes: Uint8Array, start: number, end: number): boolean {
  let [method, path] = ['', ''];
  const whole = readMessage(bytes, start, end, REQUEST, (field, _, from, to) => {
    if (field === 2) method = text(bytes, from, to);
    if (field === 3) path = text(bytes, from, to);
  });
  if (!whole || method !== 'PUT') return whole && (method === 'QGET' || method === 'SYNC');
  return /^\/0\/(members\/[0-9a-f]+\/attributes|version)$/.test(path);
}

/** Whether a message has, of these fields, none or a number that is not above `most`. */
function atMost(most: number, bytes: Uint8Array, start: number, end: number): boolean {
  let fits = true;
  return (
    readMessage(bytes, start, end, {}, (field, value) => {
      if (field === 1 && !(value <= most)) fits = false;
    }) && fits
  );
}

/**
 * The requests that an etcd makes without any client (etcdserver/etcdserverpb/raft_internal.proto): its own and the
 * cluster's attributes, automatic compaction of a store in which nothing was ever written (revision 1), and
 * questions that go through the log (alarm list, auth status). They leave nothing that could be lost.
 */
const WITHOUT_CLIENT: Readonly<Record<number, (bytes: Uint8Array, from: number, to: number) => boolean>> = {
  1: () => true, // ID
  2: leavesNothing,
  7: (bytes, from, to) => atMost(1, bytes, from, to), // CompactionRequest.revision
  10: (bytes, from, to) => atMost(0, bytes, from, to), // AlarmRequest.action, GET
  100: () => true, // header
  1013: () => true, // AuthStatusRequest
  1300: () => true, // ClusterVersionSetRequest
  1301: () => true, // ClusterMemberAttrSetRequest
  1302: () => true, // DowngradeInfoSetRequest
};

/**
 * Whether an entry of the log is one that founding a cluster writes and that holds nothing of a client: a member of
 * the first configuration (raft/bootstrap.go appends them in term 1), a new leader's empty entry, what members
 * publish. Whoever has only such entries has never served a write.
 * @param type `Entry.Type`
 * @param from where in `bytes` the entry's data stand, up to `to`
 */
export function isOfFounding(
  type: number,
  term: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): boolean {
  if (type === 1) {
    let adds = true;
    const whole = readMessage(bytes, from, to, CONF_CHANGE, (field, value) => {
      if (field === 2) adds = value === 0; // ConfChangeAddNode
    });
    return whole && adds && term === FOUNDING_TERM;
  }
  if (type !== 0) return false;
  if (from === to || leavesNothing(bytes, from, to)) return true;
  let onlyThose = true;
  const whole = readMessage(bytes, from, to, {}, (field, _, start, end) => {
    if (!WITHOUT_CLIENT[field]?.(bytes, start, end)) onlyThose = false;
  });
  return whole && onlyThose;
}
