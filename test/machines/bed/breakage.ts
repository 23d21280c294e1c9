import { closeSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';
import { idOf } from './world.ts';

const member = (machine: TestMachine): string => join(machine.dataDisk, 'default.etcd/member');

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

/** Bytes in the middle of what has been written to the newest WAL file. */
function damageWal(machine: TestMachine): void {
  const name = readdirSync(join(member(machine), 'wal')).findLast((file) => file.endsWith('.wal'));
  overwrite(join(member(machine), 'wal', String(name)), 600, Buffer.alloc(8, 0xa5));
}

/** Ways in which a machine that is off can have lost its data, by name; each as FAILURES.md has it. */
export const breakages = {
  'data-gone': (machine: TestMachine) => rmSync(join(machine.dataDisk, 'default.etcd'), { recursive: true }),
  'wal-gone': (machine: TestMachine) => rmSync(join(member(machine), 'wal'), { recursive: true }),
  'wal-damaged': damageWal,
  'db-damaged': (machine: TestMachine) => overwrite(join(member(machine), 'snap/db'), 0, Buffer.alloc(8192)),
  'db-short': (machine: TestMachine) => {
    const path = join(member(machine), 'snap/db');
    truncateSync(path, Math.floor(statSync(path).size / 3));
  },
  removed: async (machine: TestMachine, bed: Bed, by: TestMachine) => {
    // Had it been the leader, the others elect one first.
    const id = await idOf(bed, by, machine);
    await until('it is removed', () =>
      bed.etcdctl([by.endpoint], 'member', 'remove', id).catch(() => undefined),
    );
  },
} as const;

export type Breakage = keyof typeof breakages;
