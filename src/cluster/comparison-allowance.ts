import type { Comparison } from './compare-data.ts';

/** As long as one write takes anyway on a disk that is asked to flush it: nobody notices a pause like that. */
const UNFELT_MS = 25;
/** What a member hashes in a millisecond, where nothing has been measured yet. Measured: 1.2 GB in 300 ms. */
const BYTES_PER_MS = 4_000_000;

/** What comparing members would cost, by the size of their databases, as long as it has not been measured. */
export function estimatedCost(dbSizes: readonly number[]): Comparison['cost'] {
  const each = dbSizes.map((bytes) => bytes / BYTES_PER_MS);
  return { longestMs: Math.max(0, ...each), sumMs: each.reduce((sum, ms) => sum + ms, 0) };
}

/**
 * How long after a comparison of that cost the next one may be asked for from this node, in milliseconds.
 *
 * Every node compares: in that time each of n members hashes n times, and n times its share is the cost of one whole
 * comparison. So of each member's time no more than `fraction` goes. A pause that clients feel may come more seldom
 * still, in the measure in which they feel it.
 * @param fraction `HEAL_COMPARE`; with 0 there is no next one
 */
export const waitAfter = ({ longestMs, sumMs }: Comparison['cost'], fraction: number): number =>
  fraction === 0 ? Number.POSITIVE_INFINITY : (sumMs / fraction) * Math.max(1, longestMs / UNFELT_MS);
