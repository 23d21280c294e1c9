import * as v from 'valibot';
import { type Cluster, ClusterError } from './cluster.ts';
import { type EtcdctlOptions, etcdctl } from './etcdctl.ts';
import { gateway, Refusal, refusesConnection } from './gateway.ts';
import {
  anyReply,
  hashKv,
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
import { isTransient } from './transient-refusals.ts';

/** Its value is asked for with every linearizable read. */
export const BIRTHMARK_KEY = 'heal-node/birthmark';

/** A read through the quorum waits for an election that is under way. */
const READ_MS = 1500;
/** What a member says of itself it has at hand. */
const FAST_READ_MS = 500;
/** A change of the member list waits for a quorum's disks. */
const CHANGE_MS = 3000;
const ETCDCTL_MS = 10_000;

/** protobuf's JSON of a 64-bit ID that we hold as hexadecimal text. */
const int64 = (hex: string): string => BigInt.asIntN(64, BigInt(`0x${hex || '0'}`)).toString();
const uint64 = (hex: string): string => BigInt(`0x${hex}`).toString();

const birthmarkOf = ({ kvs: [kv] }: v.InferOutput<typeof kvs>): ServesReply =>
  kv ? { birthmark: kv.value, birthmarkRevision: kv.mod_revision } : { birthmark: '' };

/** One call, as both ways make it. */
interface Call<S> {
  /** Of the gateway, below `/v3/`. */
  readonly path: string;
  readonly body: object;
  readonly limitMs?: number;
  /** Of etcdctl, and what it is given on its standard input. */
  readonly words: readonly string[];
  readonly input?: string;
  /** Of both replies: protobuf's own JSON has 64-bit numbers as text, etcdctl's as numbers. */
  readonly schema: S;
}

/**
 * The cluster through etcd's JSON gateway, and by etcdctl where that gives no answer. The gateway is a short cut and
 * never the last word, but for a refusal that passes by itself: what else it refuses, etcdctl is asked, which has
 * credentials. A call that may have taken effect without an answer is made again by that too: the callers look whether
 * it has (untilTaken in src/act/heal/heal-context.ts).
 */
export function etcdCluster(options: EtcdctlOptions): Cluster {
  const fast = gateway(options.tls);
  const slow = etcdctl(options);

  const call = async <S extends v.GenericSchema>(
    endpoints: readonly string[],
    { path, body, limitMs = FAST_READ_MS, words, input, schema }: Call<S>,
  ): Promise<v.InferOutput<S>> => {
    try {
      return (await fast(endpoints[0], path, body, schema, limitMs)).reply;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof Refusal && isTransient(message)) throw new ClusterError(message, true);
      return slow(endpoints, words, schema, ETCDCTL_MS, input);
    }
  };

  const servesBySlow = (endpoint: string): Promise<ServesReply> =>
    slow([endpoint], ['get', BIRTHMARK_KEY, '--consistency=l'], kvs, READ_MS).then(
      birthmarkOf,
      (error: Error) => servesByRefusal(error.message),
    );

  /** @throws where etcdctl has to be asked */
  const servesByFast = (endpoint: string): Promise<ServesReply> =>
    fast(endpoint, 'kv/range', { key: btoa(BIRTHMARK_KEY) }, kvs, READ_MS).then(
      ({ reply }) => birthmarkOf(reply),
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
    whyNotServing: async (endpoint) => {
      const read = await servesByFast(endpoint).catch((error: Error): ServesReply | Promise<ServesReply> => {
        if (error instanceof Refusal) return { credentialsRefused: error.message };
        return refusesConnection(error)
          ? { unavailableReason: `${endpoint} refuses the connection` }
          : servesBySlow(endpoint);
      });
      return 'unavailableReason' in read ? read.unavailableReason : undefined;
    },
    ask: async (endpoint) => {
      try {
        // A member list is what this member has applied: after a linearizable read it is no older than our question.
        const served = await servesByFast(endpoint);
        const [list, state] = await Promise.all([
          fast(endpoint, 'cluster/member/list', {}, memberList, FAST_READ_MS),
          fast(endpoint, 'maintenance/status', {}, status, FAST_READ_MS),
        ]);
        return memberReply(list.reply, state.reply, served, state.clockSkewMs);
      } catch (error) {
        // Where nobody listens etcdctl would find nobody either, but only after trying for its whole time.
        if (refusesConnection(error)) throw new Error(`${endpoint} refuses the connection`);
        const served = await servesBySlow(endpoint);
        const [list, [state]] = await Promise.all([
          slow([endpoint], ['member', 'list'], memberList, READ_MS),
          slow([endpoint], ['endpoint', 'status'], v.tuple([v.object({ Status: status })]), READ_MS),
        ]);
        return memberReply(list, state.Status, served);
      }
    },
    get: async (endpoints, key, revision = 0n) => {
      const body = { key: btoa(key), revision: `${revision}` };
      const words = ['get', key, `--rev=${revision}`];
      return (await call(endpoints, { path: 'kv/range', body, words, schema: kvs })).kvs[0];
    },
    putIfAbsent: async (endpoints, key, held) => {
      const mine = { key: btoa(key), value: btoa(held.value), lease: int64(held.lease) };
      const compare = [{ key: mine.key, target: 'CREATE', createRevision: '0' }];
      const put = `put ${key} ${held.value}${held.lease && ` --lease=${held.lease}`}`;
      const { succeeded } = await call(endpoints, {
        path: 'kv/txn',
        body: { compare, success: [{ requestPut: mine }] },
        words: ['txn'],
        input: `create("${key}") = "0"\n\n${put}\n\n\n`,
        schema: transaction,
      });
      return succeeded;
    },
    grantLease: async (endpoints, ttlSec) => {
      const words = ['lease', 'grant', `${ttlSec}`];
      const granted = { path: 'lease/grant', body: { TTL: `${ttlSec}` }, words, schema: lease };
      return (await call(endpoints, granted)).ID;
    },
    keepAlive: async (endpoints, id) => {
      const words = ['lease', 'keep-alive', '--once', id];
      const kept = { path: 'lease/keepalive', body: { ID: int64(id) }, words, schema: leaseKept };
      if ((await call(endpoints, kept)).TTL === 0n) throw new ClusterError(`lease ${id} has run out`, false);
    },
    revokeLease: async (endpoints, id) => {
      const words = ['lease', 'revoke', id];
      await call(endpoints, { path: 'lease/revoke', body: { ID: int64(id) }, words, schema: anyReply });
    },
    removeMember: async (endpoints, memberId) => {
      const { members } = await call(endpoints, {
        path: 'cluster/member/remove',
        body: { ID: uint64(memberId) },
        limitMs: CHANGE_MS,
        words: ['member', 'remove', memberId],
        schema: memberList,
      });
      return members;
    },
    addMember: async (endpoints, name, peerUrls) => {
      const { member, members } = await call(endpoints, {
        path: 'cluster/member/add',
        body: { peerURLs: peerUrls },
        limitMs: CHANGE_MS,
        words: ['member', 'add', name, `--peer-urls=${peerUrls.join(',')}`],
        schema: memberAdded,
      });
      return { id: member.id, members };
    },
    // Not through the gateway: its `/v3/maintenance/hash` is another question in 3.4, the hash of the whole backend,
    // whatever the revision (rpc.proto names both Hash and HashKV so), which differs while anybody writes.
    hashKv: async (endpoint, revision, limitMs) => {
      const rows = v.tuple([v.object({ HashKV: hashKv })]);
      const [{ HashKV }] = await slow([endpoint], ['endpoint', 'hashkv', `--rev=${revision}`], rows, limitMs);
      return { hash: HashKV.hash, compactRevision: HashKV.compact_revision.toString() };
    },
    // Nor by etcdctl, which can disarm only all alarms of all members.
    disarm: async (endpoints, { memberId, alarm }) => {
      const body = { action: 'DEACTIVATE', memberID: uint64(memberId), alarm };
      await fast(endpoints[0], 'maintenance/alarm', body, anyReply, CHANGE_MS);
    },
  };
}
