import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../../bench/figures.ts';
import type { Told, True } from '../../bench/progress.ts';
import type { TestMachine } from '../bed/machine.ts';
import { sleep } from '../bed/sh.ts';

const EVERY_MS = 250;
/** Also what is on its way to become the database; a WAL file has its size before anything is in it. */
const DATABASE = 'default.etcd/member/snap';

/** Bytes of the files below a directory, as they are right now. */
function bytesBelow(dir: string): number {
  try {
    return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(dir, entry.name);
      return sum + (entry.isDirectory() ? bytesBelow(path) : statSync(path).size);
    }, 0);
  } catch {
    // It is renamed or removed meanwhile.
    return 0;
  }
}

/** What arrives in a machine's database while something is done, and what `heal-node status` says of it meanwhile. */
export async function watchArrival(
  machine: TestMachine,
  meanwhile: () => Promise<unknown>,
): Promise<{ readonly arrived: readonly True[]; readonly told: readonly Told[] }> {
  const arrived: True[] = [];
  const told: Told[] = [];
  let over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      arrived.push({ atMs: Date.now(), bytes: bytesBelow(join(machine.dataDisk, DATABASE)) });
      await sleep(EVERY_MS);
    }
  };
  const ask = async (): Promise<void> => {
    while (!over) {
      const status = await machine.cliJson('status').catch(() => undefined);
      if (status?.heal) told.push({ atMs: Date.now(), source: 'status', fields: status.heal });
      await sleep(EVERY_MS);
    }
  };
  try {
    const end = meanwhile().finally(() => {
      over = true;
    });
    await Promise.all([end, look(), ask()]);
  } finally {
    over = true;
  }
  const log = await machine.sh('cat /var/log/heal-node/heal-node.log');
  for (const line of log.split('\n')) {
    const { time, ...fields } = JSON.parse(line);
    told.push({ atMs: Date.parse(time), source: 'log', fields });
  }
  return { arrived, told };
}

/** The median of MB/s between looks, of those between which something arrived; none where nothing did. */
export function rates(arrived: readonly True[]): number[] {
  const all = arrived.slice(1).map(({ atMs, bytes }, at) => {
    const before = arrived[at] ?? { atMs, bytes };
    return (bytes - before.bytes) / 1000 / Math.max(1, atMs - before.atMs);
  });
  const arriving = all.filter((rate) => rate > 0);
  return arriving.length > 0 ? [median(arriving)] : [];
}
