import type { Cluster, LeasedValue } from './cluster.ts';

/**
 * Puts a key that nobody holds, gone by itself after `ttlSec` seconds (never with 0). One that we hold already is
 * ours for as long again.
 * @returns what stands there now, ours or another's
 * @throws ClusterError
 */
export async function claim(
  cluster: Cluster,
  endpoints: readonly string[],
  key: string,
  value: string,
  ttlSec: number,
): Promise<LeasedValue> {
  const there = await cluster.get(endpoints, key);
  if (there !== undefined) {
    if (there.value === value && there.lease !== '') await cluster.keepAlive(endpoints, there.lease);
    return there;
  }
  const mine = { value, lease: ttlSec === 0 ? '' : await cluster.grantLease(endpoints, ttlSec) };
  if (await cluster.putIfAbsent(endpoints, key, mine)) return mine;
  // Somebody was faster; or it was us, and the reply was lost.
  const faster = await cluster.get(endpoints, key);
  if (mine.lease !== '' && faster?.lease !== mine.lease) await cluster.revokeLease(endpoints, mine.lease);
  return faster ?? { value: '', lease: '' };
}
