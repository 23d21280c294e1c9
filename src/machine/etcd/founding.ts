import { BYTES, fieldsOf, VARINT } from './protobuf.ts';

/** raft/bootstrap.go: the members of the first configuration are appended in it. */
export const FOUNDING_TERM = 1;
/** raft/raftpb/raft.proto, `ConfChange`; etcdserver/etcdserverpb/etcdserver.proto, `Request`. */
const CONF_CHANGE = { 1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES } as const;
const REQUEST = { 1: VARINT, 2: BYTES, 3: BYTES, 4: BYTES } as const;

type Judge = (message: Uint8Array) => boolean;

/**
 * Requests to etcd's old store that are no client's write (etcdserver/server.go): what members publish of themselves
 * and of the cluster's version; reads, of which `/health` sends one each time (etcdserver/api/etcdhttp/metrics.go);
 * and the leader's tick.
 */
const leavesNothing: Judge = (message) => {
  const fields = fieldsOf(message, REQUEST);
  if (fields === undefined) return false;
  const [method, path] = [2, 3].map((field) => Buffer.from(fields.bytes(field)).toString('latin1'));
  if (method !== 'PUT') return method === 'QGET' || method === 'SYNC';
  return /^\/0\/(members\/[0-9a-f]+\/attributes|version)$/.test(path ?? '');
};

/** A message whose first field is missing, or a number that is not above `most`. */
const atMost =
  (most: number): Judge =>
  (message) => {
    const fields = fieldsOf(message, {});
    return fields !== undefined && (fields.numbers[1] ?? 0) <= most;
  };

const always: Judge = () => true;

/**
 * The requests that an etcd makes without any client (etcdserver/etcdserverpb/raft_internal.proto): its own and the
 * cluster's attributes, automatic compaction of a store in which nothing was ever written (revision 1), and
 * questions that go through the log (alarm list, auth status). They leave nothing that could be lost.
 */
const WITHOUT_CLIENT: Readonly<Record<string, Judge>> = {
  1: always, // ID
  2: leavesNothing,
  7: atMost(1), // CompactionRequest.revision
  10: atMost(0), // AlarmRequest.action, GET
  100: always, // header
  1013: always, // AuthStatusRequest
  1300: always, // ClusterVersionSetRequest
  1301: always, // ClusterMemberAttrSetRequest
  1302: always, // DowngradeInfoSetRequest
};

/**
 * Whether an entry of the log is one that founding a cluster writes and that holds nothing of a client: a member of
 * the first configuration (raft/bootstrap.go appends them in term 1), a new leader's empty entry, what members
 * publish. Whoever has only such entries has never served a write.
 * @param type `Entry.Type`: 0 normal, 1 a change of the configuration
 */
export function isOfFounding(type: number, term: number, data: Uint8Array): boolean {
  if (type === 1) {
    const change = fieldsOf(data, CONF_CHANGE);
    return change !== undefined && (change.numbers[2] ?? 0) === 0 && term === FOUNDING_TERM; // ConfChangeAddNode
  }
  if (type !== 0) return false;
  if (data.length === 0 || leavesNothing(data)) return true;
  const request = fieldsOf(data, {});
  return (
    request !== undefined &&
    Object.keys(request.from).every((field) => WITHOUT_CLIENT[field]?.(request.bytes(Number(field))))
  );
}
