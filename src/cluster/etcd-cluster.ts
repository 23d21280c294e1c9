import * as v from 'valibot';
import { type Cluster, ClusterError } from './cluster.ts';
import { type EtcdctlOptions, etcdctl } from './etcdctl.ts';
import { gateway, Refusal, refusesConnection } from './gateway.ts';
import { fromWord, PAUSE_KEY } from './pause-key.ts';
import {
  anyReply,
  hashKv,
  kvs,
  lease,
  leaseKept,
  memberAdded,
  memberList,
  memberReply,
  SERVES,
  type ServesReply,
  servesByRefusal,
  status,
  TOO_LONG,
  transaction,
} from './replies.ts';
import { isTransient } from './transient-refusals.ts';

export const BIRTHMARK_KEY = 'heal-node/birthmark';
/**
 * Both are asked for with every linearizable read: the few keys from the one up to the other, and the end of that range.
 * Ours are four; of what others have put there no more is read than a member sends at once (1.5 MiB each).
 */
const OWN_KEYS = { from: BIRTHMARK_KEY, to: `${PAUSE_KEY}0`, limit: 8 };

/** What goes through the quorum waits for an election that is under way, and crosses a long distance several times. */
const READ_MS = 1500;
/** A change of the member list waits for a quorum's disks. */
const CHANGE = { limitMs: 3000 };
const ETCDCTL_MS = 10_000;

/** protobuf's JSON of a 64-bit ID that we hold as hexadecimal text. */
const int64 = (hex: string): string => BigInt.asIntN(64, BigInt(`0x${hex || '0'}`)).toString();
const uint64 = (hex: string): string => BigInt(`0x${hex}`).toString();

function ownKeysOf({ kvs: all, more }: v.InferOutput<typeof kvs>): ServesReply {
  const [mark, pause] = [BIRTHMARK_KEY, PAUSE_KEY].map((name) => all.find(({ key }) => key === name));
  return {
    ...SERVES,
    ...(mark && { birthmark: mark.value, birthmarkRevision: mark.mod_revision }),
    ...(pause && { pause: fromWord(pause.value) }),
    ...(more && { pause: TOO_LONG }),
  };
}

/**
 * The cluster through etcd's JSON gateway, and by etcdctl where that gives no answer. The gateway is a short cut and
 * never the last word, but for a refusal that passes by itself: what else it refuses, etcdctl is asked, which has
 * credentials. A call that may have taken effect without an answer is made again by that too: the callers look whether
 * it has (src/act/heal/until-taken.ts).
 */
export function etcdCluster(options: EtcdctlOptions): Cluster {
  const fast = gateway(options.tls);
  const slow = etcdctl(options);

  /**
   * One call, as both ways make it: the gateway's path below `/v3/` and its body, or etcdctl's words. The schema is that
   * of both replies: protobuf's own JSON has 64-bit numbers as text, etcdctl's as numbers. The limit is the gateway's; the
   * input is what etcdctl is given on its standard input.
   */
  const call = async <S extends v.GenericSchema>(
    endpoints: readonly string[],
    path: string,
    body: object,
    words: readonly string[],
    schema: S,
    { limitMs = READ_MS, input }: { limitMs?: number; input?: string } = {},
  ): Promise<v.InferOutput<S>> => {
    try {
      return (await fast(endpoints[0], path, body, schema, limitMs)).reply;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof Refusal && isTransient(message)) throw new ClusterError(message, true);
      return slow(endpoints, words, schema, ETCDCTL_MS, input);
    }
  };

  const servesBySlow = (endpoint: string): Promise<ServesReply> => {
    const { from, to, limit } = OWN_KEYS;
    const read = slow([endpoint], ['get', from, to, '--consistency=l', `--limit=${limit}`], kvs, READ_MS);
    return read.then(ownKeysOf, (error: Error) => servesByRefusal(error.message));
  };

  /** @throws where etcdctl has to be asked */
  const servesByFast = (endpoint: string): Promise<ServesReply> => {
    const range = { key: btoa(OWN_KEYS.from), range_end: btoa(OWN_KEYS.to), limit: `${OWN_KEYS.limit}` };
    return fast(endpoint, 'kv/range', range, kvs, READ_MS).then(
      ({ reply }) => ownKeysOf(reply),
      (error: Error): ServesReply => {
        if (error.name === 'TimeoutError')
          return { ...SERVES, unavailableReason: `no answer to a linearizable read within ${READ_MS} ms` };
        const read = servesByRefusal(error.message);
        // What the gateway itself refuses, a certificate (embed/serve.go) or the question, says nothing of the member; and
        // only etcdctl has credentials: whether they are good is for it to say.
        const isOwn = error instanceof Refusal && error.message.includes('etcdserver: ');
        if (isOwn ? read.unavailableReason !== '' : read.pause && !(error instanceof Refusal)) return read;
        throw error;
      },
    );
  };

  /** Where the keys are too long to be read together, the birthmark is read alone; too long itself, it counts as deleted. */
  const withBirthmark = async (endpoint: string, served: ServesReply): Promise<ServesReply> => {
    if (served.pause !== TOO_LONG) return served;
    const alone = call([endpoint], 'kv/range', { key: btoa(BIRTHMARK_KEY) }, ['get', BIRTHMARK_KEY], kvs);
    const read = await alone.then(ownKeysOf, (error: Error) => {
      if (servesByRefusal(error.message).pause === TOO_LONG) return SERVES;
      throw error;
    });
    return { ...read, pause: TOO_LONG };
  };

  return {
    whyNotServing: async (endpoint) => {
      const read = await servesByFast(endpoint).catch((error: Error) => {
        const refused = servesByRefusal(error.message);
        if (error instanceof Refusal && refused.credentialsRefused !== '') return refused;
        return refusesConnection(error)
          ? { unavailableReason: `${endpoint} refuses the connection` }
          : servesBySlow(endpoint);
      });
      return read.unavailableReason || undefined;
    },
    ask: async (endpoint) => {
      try {
        // A member list is what this member has applied: after a linearizable read it is no older than our question.
        const served = await servesByFast(endpoint).catch(async (error: Error) => {
          // It wants a user, whose password takes etcd a tenth of a second each time (bcrypt): the rest is asked without.
          if (!(error instanceof Refusal)) throw error;
          const read = await servesBySlow(endpoint);
          // Whoever refuses so serves, whatever keeps us from showing who we are.
          const wanting = servesByRefusal(error.message).credentialsRefused && read.unavailableReason;
          return wanting && !isTransient(wanting) ? { ...SERVES, credentialsRefused: wanting } : read;
        });
        const [list, state] = await Promise.all([
          fast(endpoint, 'cluster/member/list', {}, memberList, READ_MS),
          fast(endpoint, 'maintenance/status', {}, status, READ_MS),
        ]);
        return memberReply(list.reply, state.reply, await withBirthmark(endpoint, served), state.clockSkewMs);
      } catch (error) {
        // Where nobody listens etcdctl would find nobody either, but only after trying for its whole time.
        if (refusesConnection(error)) throw new Error(`${endpoint} refuses the connection`);
        // Nor is it more for etcdctl, which would try for its whole time, too (api/v3rpc/interceptor.go).
        const { message } = error as Error;
        if (message.includes('rpc not supported for learner')) throw new Error(`${endpoint} is a learner`);
        const served = await servesBySlow(endpoint);
        const [list, [state]] = await Promise.all([
          slow([endpoint], ['member', 'list'], memberList, READ_MS),
          slow([endpoint], ['endpoint', 'status'], v.tuple([v.object({ Status: status })]), READ_MS),
        ]);
        return memberReply(list, state.Status, await withBirthmark(endpoint, served));
      }
    },
    get: async (endpoints, key, revision = 0n) => {
      const body = { key: btoa(key), revision: `${revision}` };
      return (await call(endpoints, 'kv/range', body, ['get', key, `--rev=${revision}`], kvs)).kvs[0];
    },
    putIfAbsent: async (endpoints, key, held) => {
      const mine = { key: btoa(key), value: btoa(held.value), lease: int64(held.lease) };
      const compare = [{ key: mine.key, target: 'CREATE', createRevision: '0' }];
      const body = { compare, success: [{ requestPut: mine }] };
      const put = `put ${key} ${held.value}${held.lease && ` --lease=${held.lease}`}`;
      const input = `create("${key}") = "0"\n\n${put}\n\n\n`;
      return (await call(endpoints, 'kv/txn', body, ['txn'], transaction, { input })).succeeded;
    },
    grantLease: async (endpoints, ttlSec) => {
      const words = ['lease', 'grant', `${ttlSec}`];
      return (await call(endpoints, 'lease/grant', { TTL: `${ttlSec}` }, words, lease)).ID;
    },
    keepAlive: async (endpoints, id) => {
      const words = ['lease', 'keep-alive', '--once', id];
      const kept = await call(endpoints, 'lease/keepalive', { ID: int64(id) }, words, leaseKept);
      const { TTL } = 'result' in kept ? kept.result : kept;
      if (TTL === 0n) throw new ClusterError(`lease ${id} has run out`, true);
    },
    revokeLease: async (endpoints, id) => {
      await call(endpoints, 'lease/revoke', { ID: int64(id) }, ['lease', 'revoke', id], anyReply);
    },
    removeMember: async (endpoints, id) => {
      const [body, words] = [{ ID: uint64(id) }, ['member', 'remove', id]];
      return (await call(endpoints, 'cluster/member/remove', body, words, memberList, CHANGE)).members;
    },
    updateMember: async (endpoints, id, peerURLs) => {
      const body = { ID: uint64(id), peerURLs };
      const words = ['member', 'update', id, `--peer-urls=${peerURLs.join(',')}`];
      return (await call(endpoints, 'cluster/member/update', body, words, memberList, CHANGE)).members;
    },
    addMember: async (endpoints, name, peerUrls) => {
      const words = ['member', 'add', name, `--peer-urls=${peerUrls.join(',')}`];
      const body = { peerURLs: peerUrls };
      const added = await call(endpoints, 'cluster/member/add', body, words, memberAdded, CHANGE);
      return { id: added.member.id, members: added.members };
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
      await fast(endpoints[0], 'maintenance/alarm', body, anyReply, CHANGE.limitMs);
    },
  };
}
