import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { serves } from '../bed/world.ts';

/** Nodes whose etcd starts without asking the gate. */
export const withoutGate = (dir: string): void =>
  rmSync(join(dir, 'etc/systemd/system/etcd.service.d/10-heal-node-gate.conf'));

/**
 * The third is off, and two wiped members come back: systemd starts etcd at boot by itself, without any hook, and
 * with state new they found a second, empty cluster. Returns when that serves.
 */
export async function foundedAnew(
  bed: Bed,
  wiped: readonly TestMachine[],
  third: TestMachine,
): Promise<void> {
  await third.powerOff();
  for (const each of wiped) {
    await each.powerOff();
    await breakDisk(each, 'data-gone');
  }
  await Promise.all(wiped.map((each) => each.powerOn()));
  await until('an empty cluster serves', () => serves(bed, wiped[0] ?? third));
}

/** Which files the WAL is made of: what nobody may have touched. */
export const walFiles = (machine: TestMachine): Promise<string> =>
  machine.sh('cd /var/lib/etcd/default.etcd/member/wal; ls -i');
