import type { Bed } from '../bed/bed.ts';
import type { Filling } from '../bed/fill.ts';
import { bedScript } from '../bed/in-lan.ts';

/** Puts data into the cluster. */
export async function fill(bed: Bed, filling: Filling): Promise<void> {
  const endpoints = bed.machines.map(({ endpoint }) => endpoint);
  const { exitCode } = await bed.inLan(
    bedScript('fill.ts'),
    [JSON.stringify(filling), ...endpoints],
    () => undefined,
  );
  if (exitCode !== 0) throw new Error(`the cluster could not be filled: exit ${exitCode}`);
}

export const largeValues = (megabytes: number, valueBytes: number): Filling => ({
  prefix: 'large/',
  from: 0,
  count: Math.ceil((megabytes * 1e6) / valueBytes),
  valueBytes,
  perRequest: 1,
  revisions: 1,
});
