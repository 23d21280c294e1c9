import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import { limitedFetch } from './limited-fetch.ts';

/**
 * `GET <client url>/health` (etcd 3.4: etcdserver/api/etcdhttp/metrics.go): true means that this member has a
 * leader, that no alarm is raised anywhere, and that a read through the quorum was answered.
 * Never throws, never longer than `timeoutMs`.
 */
export async function memberHealth(clientUrl: string, tls: TlsFiles | undefined, timeoutMs: number) {
  const url = `${clientUrl}/health`;
  try {
    const { reply, text } = await limitedFetch(url, tls, timeoutMs);
    if (/"health"\s*:\s*"true"/.test(text)) return { state: 'true' } as const;
    return { state: 'false', why: `${url} answered ${reply.status} ${text.slice(0, 200).trim()}` } as const;
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    const late = name === 'TimeoutError';
    const why = late ? `within ${timeoutMs} ms` : `(${code ?? message})`;
    // Where nobody listens an etcd may be about to start; one that is called otherwise accepts, and then refuses. Of one
    // that is off the kernel says now and then that there is no way to it (arp(7)).
    const mayAnswer = late || code === 'ECONNREFUSED' || code === 'EHOSTUNREACH';
    return { state: 'none', why: `${url} gave no answer ${why}`, mayAnswer } as const;
  }
}
