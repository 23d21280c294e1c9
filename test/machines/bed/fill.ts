/** Fills the cluster with values that do not compress: `fill.ts FILLING ENDPOINT …`, a Filling as JSON. */

export interface Filling {
  readonly prefix: string;
  /** Of the first key. */
  readonly from: number;
  readonly count: number;
  readonly valueBytes: number;
  /** Keys of one transaction; etcd takes 128 (embed/config.go, DefaultMaxTxnOps). */
  readonly perRequest: number;
  /** How often each key is written. */
  readonly revisions: number;
}

const LANES = 8;
const POOL_BYTES = 4 << 20;
const encode = (text: string): string => Buffer.from(text).toString('base64');

async function main(): Promise<void> {
  const [filling, ...endpoints] = process.argv.slice(2);
  const { prefix, from, count, valueBytes, perRequest, revisions } = JSON.parse(`${filling}`) as Filling;
  const pool = Buffer.alloc(POOL_BYTES);
  for (let at = 0; at < POOL_BYTES; at += 65_536) crypto.getRandomValues(pool.subarray(at, at + 65_536));
  const value = (): string => {
    const at = Math.floor(Math.random() * (POOL_BYTES - valueBytes));
    return pool.toString('base64', at, at + valueBytes);
  };

  async function post(lane: number, path: string, body: object): Promise<void> {
    for (;;) {
      const reply = await fetch(`${endpoints[lane % endpoints.length]}/v3/kv/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      const text = await reply.text();
      if (reply.ok) return;
      // Its log is ahead of what it has applied: it asks for patience.
      if (!/too many requests|timed out|leader changed/.test(text)) throw new Error(text);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  for (let revision = 0; revision < revisions; revision++) {
    let next = from;
    const lane = async (_: unknown, number: number): Promise<void> => {
      while (next < from + count) {
        const first = next;
        next = Math.min(from + count, first + perRequest);
        const puts = Array.from({ length: next - first }, (_, i) => ({
          key: encode(`${prefix}${first + i}`),
          value: value(),
        }));
        await (puts.length === 1
          ? post(number, 'put', puts[0] ?? {})
          : post(number, 'txn', { success: puts.map((put) => ({ requestPut: put })) }));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
}

if (import.meta.main) await main();
