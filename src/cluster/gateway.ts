import * as v from 'valibot';
import type { TlsFiles } from '../node/etcd-config.ts';
import type { Cluster } from './cluster.ts';
import { SERVES_KEY } from './etcdctl.ts';
import { anyReply, claimed, hashKv, lease, memberList, memberReply, status } from './replies.ts';

/** A read through the quorum waits for an election that is under way. */
const READ_MS = 1500;

/**
 * Reads through etcd's own JSON gateway (etcdserver/etcdserverpb/gw): a millisecond where a run of etcdctl takes
 * twenty. It is a short cut and never the last word: it does not answer where client certificates are asked for
 * and the server's own lacks the client usage (embed/serve.go dials itself with it), nor with authentication on,
 * nor before etcd 3.4. Whoever gets no answer here is asked by etcdctl; membership is only ever changed by that.
 */
export function withFastReads(slow: Cluster, tls: TlsFiles | undefined, timeoutMs: number): Cluster {
  /** Of every endpoint, how far its clock was from ours when it last answered (RFC 9110, Date). */
  const skews = new Map<string, number>();
  const post = async <S extends v.GenericSchema>(
    endpoint: string,
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
    if (!Number.isNaN(atMs)) skews.set(endpoint, Math.round((atMs - Date.now()) / 1000) * 1000);
    if (!reply.ok) throw new Error(`${reply.status} from ${endpoint}/v3/${path}`);
    return v.parse(schema, await reply.json());
  };

  return {
    ...slow,
    ask: async (endpoint) => {
      try {
        const [list, state, servesNot] = await Promise.all([
          post(endpoint, 'cluster/member/list', {}, memberList),
          post(endpoint, 'maintenance/status', {}, status),
          post(endpoint, 'kv/range', { key: btoa(SERVES_KEY) }, anyReply, READ_MS).then(
            () => '',
            (error: Error) => {
              if (error.name !== 'TimeoutError') throw error;
              return `no answer to a linearizable read within ${READ_MS} ms`;
            },
          ),
        ]);
        return memberReply(list, state, servesNot, skews.get(endpoint));
      } catch (error) {
        // Where nobody listens etcdctl would find nobody either, but only after trying for its whole time.
        const { code = '' } = error as { code?: string };
        if (['ConnectionRefused', 'ECONNREFUSED'].includes(code))
          throw new Error(`${endpoint} refuses the connection`);
        return slow.ask(endpoint);
      }
    },
    claim: async (endpoints, key, value, ttlSec) => {
      const [endpoint = ''] = endpoints;
      try {
        const { ID } =
          ttlSec === 0 ? { ID: 0n } : await post(endpoint, 'lease/grant', { TTL: `${ttlSec}` }, lease);
        const mine = { key: btoa(key), value: btoa(value), ...(ID === 0n ? {} : { lease: ID.toString() }) };
        const answer = await post(
          endpoint,
          'kv/txn',
          {
            compare: [{ key: mine.key, target: 'CREATE', createRevision: '0' }],
            success: [{ requestPut: mine }],
            failure: [{ requestRange: { key: mine.key } }],
          },
          claimed,
        );
        return answer.succeeded ? value : atob(answer.responses[0]?.response_range?.kvs[0]?.value ?? '');
      } catch {
        return slow.claim(endpoints, key, value, ttlSec);
      }
    },
    hashKv: async (endpoints, revision) => {
      try {
        return await Promise.all(
          endpoints.map(async (endpoint) => {
            const reply = await post(endpoint, 'maintenance/hash', { revision: revision.toString() }, hashKv);
            return {
              endpoint,
              hash: reply.hash.toString(),
              compactRevision: reply.compact_revision.toString(),
            };
          }),
        );
      } catch {
        return slow.hashKv(endpoints, revision);
      }
    },
  };
}
