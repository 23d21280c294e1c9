import * as v from 'valibot';
import type { TlsFiles } from '../node/etcd-config.ts';
import type { Cluster } from './cluster.ts';
import { SERVES_KEY } from './etcdctl.ts';
import { anyReply, hashKv, memberList, memberReply, status } from './replies.ts';

/**
 * Reads through etcd's own JSON gateway (etcdserver/etcdserverpb/gw): a millisecond where a run of etcdctl takes
 * twenty. It is a short cut and never the last word: it does not answer where client certificates are asked for
 * and the server's own lacks the client usage (embed/serve.go dials itself with it), nor with authentication on,
 * nor before etcd 3.4. Whoever gets no answer here is asked by etcdctl; membership is only ever changed by that.
 */
export function withFastReads(slow: Cluster, tls: TlsFiles | undefined, timeoutMs: number): Cluster {
  const post = async <S extends v.GenericSchema>(
    endpoint: string,
    path: string,
    body: object,
    schema: S,
  ): Promise<v.InferOutput<S>> => {
    const reply = await fetch(`${endpoint}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
      keepalive: false,
      ...(tls && {
        tls: { ca: Bun.file(tls.ca), cert: Bun.file(tls.cert), key: Bun.file(tls.key) },
      }),
    });
    if (!reply.ok) throw new Error(`${reply.status} from ${endpoint}/v3/${path}`);
    return v.parse(schema, await reply.json());
  };

  return {
    ...slow,
    ask: async (endpoint) => {
      try {
        const [list, state] = await Promise.all([
          post(endpoint, 'cluster/member/list', {}, memberList),
          post(endpoint, 'maintenance/status', {}, status),
          post(endpoint, 'kv/range', { key: btoa(SERVES_KEY) }, anyReply),
        ]);
        return memberReply(list, state, '');
      } catch {
        return slow.ask(endpoint);
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
