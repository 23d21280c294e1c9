import type { Cluster } from './cluster.ts';

export type Comparison = Readonly<Awaited<ReturnType<typeof compareData>>>;

/**
 * The hash of all keys of several members at one revision (Maintenance.HashKV), one member after the other, each asked
 * once: the one that hashes serves no write meanwhile (mvcc/kvstore.go, hashByRev, holds the lock of its read
 * transaction). Members compact on their own time, and hashes are comparable only at the same compaction.
 * @param limitMs for all of them together
 */
export async function compareData(
  cluster: Cluster,
  clock: { monotonicMs(): number },
  members: readonly { readonly endpoint: string; readonly revision: bigint }[],
  limitMs: number,
) {
  const [revision = 0n] = members.map((member) => member.revision).sort((a, b) => (a < b ? -1 : 1));
  const took: number[] = [];
  const hashes = new Map<string, string>();
  const compactions = new Set<string>();
  const sumMs = (): number => took.reduce((sum, ms) => sum + ms, 0);
  const ask = async (): Promise<void> => {
    for (const { endpoint } of members) {
      const leftMs = Math.floor(limitMs - sumMs());
      if (leftMs <= 0) throw new Error(`not done within ${limitMs} ms`);
      const beganMs = clock.monotonicMs();
      const { hash, compactRevision } = await cluster
        .hashKv(endpoint, revision, leftMs)
        .finally(() => took.push(clock.monotonicMs() - beganMs));
      hashes.set(endpoint, hash);
      if (compactions.add(compactRevision).size > 1) throw new Error('their compactions differ');
    }
  };
  const failure = await ask().catch((error: Error) => error.message);
  return {
    /** What came out: of each endpoint, its hash at that revision; or why there is nothing to compare, as text. */
    found: failure ?? { revision, hashes },
    /** What asking took, and with it how long writes waited: of the member that hashed longest, and of all together. */
    cost: { longestMs: Math.max(0, ...took), sumMs: sumMs() },
  };
}
