import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed, BedOptions } from '../bed/bed.ts';
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

/** Small keys, each written twice: with history. */
export const smallKeys = (from: number, count: number): Filling => ({
  prefix: 'small/',
  from,
  count,
  valueBytes: 32,
  perRequest: 100,
  revisions: 2,
});

/** More entries than the members keep of their logs: whoever joins is sent a snapshot from then on. */
const LOG: Filling = {
  prefix: 'log/',
  from: 0,
  count: 12_000,
  valueBytes: 8,
  perRequest: 1,
  revisions: 1,
};
const SNAPSHOT_COUNT = 5000;

/**
 * A bed for much data. etcd's own 100,000 entries between snapshots would be gigabytes of memory on each member, and a
 * joiner would be sent them all, one by one.
 */
export const forMuchData: BedOptions = {
  appEnv: { ETCD_QUOTA_BYTES: String(16 * 2 ** 30) },
  image: (dir) => {
    const conf = join(dir, 'etc/systemd/system.conf.d');
    mkdirSync(conf, { recursive: true });
    writeFileSync(
      join(conf, 'snapshots.conf'),
      `[Manager]\nDefaultEnvironment=ETCD_SNAPSHOT_COUNT=${SNAPSHOT_COUNT}\n`,
    );
  },
};

export const outgrowLog = (bed: Bed): Promise<void> => fill(bed, LOG);
