import type { Cluster } from './cluster.ts';

export interface Comparison {
  readonly revision: bigint;
  /** Of each endpoint, its hash at that revision. */
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * The hash of all keys of several members at one revision (Maintenance.HashKV). Members compact on their own time,
 * and hashes are comparable only at the same compaction.
 * @returns why they cannot be compared right now, as text, where that passes by itself
 */
export async function compareData(
  cluster: Cluster,
  members: readonly { readonly endpoint: string; readonly revision: bigint }[],
): Promise<Comparison | string> {
  const revision = members.reduce(
    (least, member) => (member.revision < least ? member.revision : least),
    members[0]?.revision ?? 0n,
  );
  try {
    const rows = await cluster.hashKv(
      members.map(({ endpoint }) => endpoint),
      revision,
    );
    if (new Set(rows.map((row) => row.compactRevision)).size > 1) return 'their compactions differ';
    return { revision, hashes: new Map(rows.map(({ endpoint, hash }) => [endpoint, hash])) };
  } catch (error) {
    return (error as Error).message;
  }
}
