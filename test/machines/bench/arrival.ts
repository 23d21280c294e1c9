import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Told, True } from '../../bench/progress.ts';
import type { TestMachine } from '../bed/machine.ts';

const EVERY_MS = 250;
/** Also what is on its way to become the database; a WAL file has its size before anything is in it. */
const DATABASE = 'default.etcd/member/snap';

/** Bytes of the files in a directory, as they are right now. */
function bytesIn(dir: string): number {
  try {
    return readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  } catch {
    // It is renamed or removed meanwhile.
    return 0;
  }
}

/** What arrives in a machine's database while it is healed, and what heal-node has logged of it. */
export async function watchArrival(
  machine: TestMachine,
  heal: () => Promise<unknown>,
): Promise<{ readonly arrived: readonly True[]; readonly told: readonly Told[] }> {
  const arrived: True[] = [];
  const look = (): void => {
    arrived.push({ atMs: Date.now(), bytes: bytesIn(join(machine.dataDisk, DATABASE)) });
  };
  const timer = setInterval(look, EVERY_MS);
  try {
    await heal();
  } finally {
    clearInterval(timer);
  }
  const log = await machine.sh('cat /var/log/heal-node/heal-node.log');
  const told = log
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'progress')
    .map(({ time, ...progress }) => ({ atMs: Date.parse(time), ...progress }));
  return { arrived, told };
}
