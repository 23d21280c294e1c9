import type { TlsFiles } from '../machine/etcd/etcd-config.ts';

/** etcd's longest answer to us is a member list; whoever listens there may not be etcd. */
const MAX_BYTES = 1 << 20;

/** The body of a reply as text. @throws when it is longer than any that we ask for */
export async function limitedText(reply: Response): Promise<string> {
  const { headers } = reply;
  // fetch reads no more than the length that is told; a stream, to count it, takes 0.2 ms at its first use.
  const encoded = headers.has('transfer-encoding') || headers.has('content-encoding');
  if (!encoded && /^\d{1,6}$/.test(headers.get('content-length') ?? '')) return reply.text();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BYTES) throw new Error(`${reply.url} sends more than ${MAX_BYTES} bytes`);
  }
  return text;
}

/**
 * One call of etcd's HTTP, and all that it answers within `limitMs`.
 * @param body what is posted; without it the call is a GET
 * @throws when the answer is nothing, or too long
 */
export async function limitedFetch(url: string, tls: TlsFiles | undefined, limitMs: number, body?: string) {
  // No proxy of whoever called us stands between members; the one of the two names that is set beats the other.
  process.env.NO_PROXY = process.env.no_proxy = '*';
  const reply = await fetch(url, {
    ...(body !== undefined && { method: 'POST', body }),
    signal: AbortSignal.timeout(limitMs),
    redirect: 'error',
    // A distance is crossed once less. What an old connection does not take, Bun does not send again by itself.
    keepalive: body !== undefined,
    ...(tls && { tls: { ca: Bun.file(tls.ca), cert: Bun.file(tls.cert), key: Bun.file(tls.key) } }),
  });
  return { reply, text: await limitedText(reply) };
}
