import * as v from 'valibot';
import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import { type Cluster, ClusterError } from './cluster.ts';
import { BIRTHMARK_KEY } from './etcdctl.ts';
import { limitedText } from './limited-text.ts';
import {
  anyReply,
  kvs,
  lease,
  leaseKept,
  memberAdded,
  memberList,
  memberReply,
  type ServesReply,
  servesByRefusal,
  status,
  transaction,
} from './replies.ts';
import { transientRefusals } from './transient-refusals.ts';

/** protobuf's JSON of a 64-bit ID that we hold as hexadecimal text. */
const int64 = (hex: string): string => BigInt.asIntN(64, BigInt(`0x${hex || '0'}`)).toString();
const uint64 = (hex: string): string => BigInt(`0x${hex}`).toString();
/** The first message of the stream, as the gateway wraps it. */
const kept = v.object({ result: leaseKept });

/** etcd has answered, with an error of its own. */
class Refusal extends Error {}

const refusesConnection = (error: unknown): boolean =>
  ['ConnectionRefused', 'ECONNREFUSED'].includes((error as { code?: string }).code ?? '');

const either = <T>(fast: () => Promise<T>, slow: () => Promise<T>): Promise<T> => fast().catch(slow);

/** A refusal that passes by itself is the answer; what else was refused, etcdctl is asked, which has credentials. */
const unlessTransient = <T>(fast: () => Promise<T>, slow: () => Promise<T>): Promise<T> =>
  fast().catch((error: Error) => {
    const transient =
      error instanceof Refusal && transientRefusals.some(({ says }) => error.message.includes(says));
    if (transient) throw new ClusterError(error.message, true);
    return slow();
  });

/** A read through the quorum waits for an election that is under way. */
const READ_MS = 1500;
/** A change of the member list waits for a quorum's disks. */
const CHANGE_MS = 3000;

/**
 * Calls through etcd's own JSON gateway (etcdserver/etcdserverpb/gw): a millisecond where a run of etcdctl takes
 * twenty. It is a short cut and never the last word: it does not answer where client certificates are asked for
 * and the server's own lacks the client usage (embed/serve.go dials itself with it), nor with authentication on,
 * nor before etcd 3.4. Whoever gets no answer here is asked by etcdctl. A call that may have taken effect without an
 * answer is made again by that too: the callers look whether it has (untilTaken in src/act/heal/heal-context.ts).
 */
export function withGateway(slow: Cluster, tls: TlsFiles | undefined, timeoutMs: number): Cluster {
  /** Of every endpoint, how far its clock was from ours when it last answered (RFC 9110, Date). */
  const skews = new Map<string, number>();
  const post = async <S extends v.GenericSchema>(
    endpoint: string | undefined,
    path: string,
    body: object,
    schema: S,
    limitMs = timeoutMs,
  ): Promise<v.InferOutput<S>> => {
    const reply = await fetch(`${endpoint}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(limitMs),
      redirect: 'error',
      keepalive: false,
      ...(tls && {
        tls: { ca: Bun.file(tls.ca), cert: Bun.file(tls.cert), key: Bun.file(tls.key) },
      }),
    });
    const atMs = Date.parse(reply.headers.get('date') ?? '');
    if (endpoint && !Number.isNaN(atMs)) skews.set(endpoint, Math.round((atMs - Date.now()) / 1000) * 1000);
    if (!reply.ok) throw new Refusal(`${endpoint}/v3/${path}: ${reply.status} ${await limitedText(reply)}`);
    return v.parse(schema, JSON.parse(await limitedText(reply)));
  };

  const readServes = (endpoint: string): Promise<ServesReply> =>
    post(endpoint, 'kv/range', { key: btoa(BIRTHMARK_KEY) }, kvs, READ_MS).then(
      (reply): ServesReply => ({ birthmark: reply.kvs[0]?.value ?? '' }),
      (error: Error): ServesReply => {
        if (error.name === 'TimeoutError')
          return { unavailableReason: `no answer to a linearizable read within ${READ_MS} ms` };
        const read = error instanceof Refusal ? servesByRefusal(error.message) : undefined;
        // Only etcdctl has credentials: whether they are good is for it to say.
        if (read !== undefined && 'unavailableReason' in read) return read;
        throw error;
      },
    );

  return {
    ...slow,
    whyNotServing: async (endpoint) => {
      try {
        const read = await readServes(endpoint);
        return 'unavailableReason' in read ? read.unavailableReason : undefined;
      } catch (error) {
        if (error instanceof Refusal) return undefined; // For want of credentials, that is: it serves.
        return refusesConnection(error) ? `${endpoint} refuses the connection` : slow.whyNotServing(endpoint);
      }
    },
    ask: async (endpoint) => {
      try {
        // A member list is what this member has applied: after a linearizable read it is no older than our question.
        const served = await readServes(endpoint);
        const [list, state] = await Promise.all([
          post(endpoint, 'cluster/member/list', {}, memberList),
          post(endpoint, 'maintenance/status', {}, status),
        ]);
        return memberReply(list, state, served, skews.get(endpoint));
      } catch (error) {
        // Where nobody listens etcdctl would find nobody either, but only after trying for its whole time.
        if (refusesConnection(error)) throw new Error(`${endpoint} refuses the connection`);
        return slow.ask(endpoint);
      }
    },
    get: (endpoints, key) =>
      either(
        async () => (await post(endpoints[0], 'kv/range', { key: btoa(key) }, kvs)).kvs[0],
        () => slow.get(endpoints, key),
      ),
    putIfAbsent: (endpoints, key, held) =>
      either(
        async () => {
          const mine = { key: btoa(key), value: btoa(held.value), lease: int64(held.lease) };
          const compare = [{ key: mine.key, target: 'CREATE', createRevision: '0' }];
          const change = { compare, success: [{ requestPut: mine }] };
          return (await post(endpoints[0], 'kv/txn', change, transaction)).succeeded;
        },
        () => slow.putIfAbsent(endpoints, key, held),
      ),
    grantLease: (endpoints, ttlSec) =>
      either(
        async () => (await post(endpoints[0], 'lease/grant', { TTL: `${ttlSec}` }, lease)).ID,
        () => slow.grantLease(endpoints, ttlSec),
      ),
    keepAlive: (endpoints, id) =>
      either(
        async () => {
          const { result } = await post(endpoints[0], 'lease/keepalive', { ID: int64(id) }, kept);
          if (result.TTL === 0n) throw new Error(`lease ${id} has run out`);
        },
        () => slow.keepAlive(endpoints, id),
      ),
    revokeLease: (endpoints, id) =>
      either(
        async () => void (await post(endpoints[0], 'lease/revoke', { ID: int64(id) }, anyReply)),
        () => slow.revokeLease(endpoints, id),
      ),
    removeMember: (endpoints, memberId) =>
      unlessTransient(
        async () => {
          const body = { ID: uint64(memberId) };
          return (await post(endpoints[0], 'cluster/member/remove', body, memberList, CHANGE_MS)).members;
        },
        () => slow.removeMember(endpoints, memberId),
      ),
    addMember: (endpoints, name, peerUrls) =>
      unlessTransient(
        async () => {
          const body = { peerURLs: peerUrls };
          const added = await post(endpoints[0], 'cluster/member/add', body, memberAdded, CHANGE_MS);
          return { id: added.member.id, members: added.members };
        },
        () => slow.addMember(endpoints, name, peerUrls),
      ),
    // Its `/v3/maintenance/hash` is another question in 3.4: the hash of the whole backend, whatever the revision
    // (etcdserver/etcdserverpb/rpc.proto names both Hash and HashKV so), which differs while anybody writes.
    hashKv: slow.hashKv,
    disarm: async (endpoints, { memberId, alarm }) => {
      const body = { action: 'DEACTIVATE', memberID: uint64(memberId), alarm };
      await post(endpoints[0], 'maintenance/alarm', body, anyReply, CHANGE_MS);
    },
  };
}
