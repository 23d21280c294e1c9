import * as v from 'valibot';
import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import { limitedFetch } from './limited-fetch.ts';

/** etcd has answered, with an error of its own. */
export class Refusal extends Error {}

export const refusesConnection = (error: unknown): boolean =>
  ['ConnectionRefused', 'ECONNREFUSED'].includes((error as { code?: string }).code ?? '');

/**
 * Calls through etcd's own JSON gateway (etcdserver/etcdserverpb/gw): a millisecond where a run of etcdctl takes
 * twenty. It does not answer where client certificates are asked for and the server's own lacks the client usage
 * (embed/serve.go dials itself with it), nor with authentication on, nor before etcd 3.4.
 */
export function gateway(tls: TlsFiles | undefined) {
  return async <S extends v.GenericSchema>(
    endpoint: string | undefined,
    path: string,
    body: object,
    schema: S,
    limitMs: number,
  ) => {
    const url = `${endpoint}/v3/${path}`;
    const { reply, text } = await limitedFetch(url, tls, limitMs, JSON.stringify(body));
    if (!reply.ok) throw new Refusal(`${url}: ${reply.status} ${text}`);
    const atMs = Date.parse(reply.headers.get('date') ?? '');
    return {
      reply: v.parse(schema, JSON.parse(text)),
      /** How far its clock was from ours when it answered (RFC 9110, Date). */
      clockSkewMs: Number.isNaN(atMs) ? undefined : Math.round((atMs - Date.now()) / 1000) * 1000,
    };
  };
}
