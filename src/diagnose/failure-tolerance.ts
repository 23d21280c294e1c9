import type { Situation } from './situation.ts';

/**
 * How many more members may fail before the cluster has no quorum, from what serves now; below 0 where it has none.
 * Undefined where nobody says whom the cluster lists. One value: people look at it first.
 */
export function failureTolerance({ cluster, servesAsOwn }: Situation): number | undefined {
  const { members, serving, own, quorum } = cluster;
  if (members.length === 0) return undefined;
  const self = servesAsOwn && own !== undefined && !own.isLearner;
  return serving.length + (self ? 1 : 0) - quorum;
}
