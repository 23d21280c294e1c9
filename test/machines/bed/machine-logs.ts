import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestMachine } from './machine.ts';
import { trySh } from './sh.ts';

const LINES = '25';
const OWN_LOG = 'var/log/heal-node/heal-node.log';

/** The last lines of a file of a machine's root disk, whether it is on or off. */
async function tail(path: string): Promise<string> {
  return existsSync(path) ? ((await trySh('tail', '-n', LINES, path)) ?? '') : 'none';
}

/** What a failed story shows of a machine: its etcd's journal and heal-node's log. */
export async function machineLogs(machine: TestMachine): Promise<string> {
  const journal = machine.isOn
    ? (
        await machine.run(
          'journalctl',
          '--no-pager',
          '-o',
          'short-precise',
          '-n',
          LINES,
          '-u',
          'etcd',
          '-u',
          'etcd1',
        )
      ).stdout
    : 'the machine is off';
  const own = await tail(machine.onRootDisk(OWN_LOG));
  return `--- ${machine.name}: journal of etcd\n${journal}\n--- ${machine.name}: heal-node.log\n${own}`;
}

/** The same of a bed whose run was ended, as far as files have it. */
export async function leftLogs(dir: string): Promise<string> {
  const sids = existsSync(dir) ? readdirSync(dir).filter((name) => /^\d+$/.test(name)) : [];
  const logs = sids.sort().map(async (sid) => {
    const own = await tail(join(dir, sid, 'upper', OWN_LOG));
    const console = readFileSync(join(dir, sid, 'console'), 'utf8')
      .split('\n')
      .slice(-8)
      .join('\n');
    return `--- etcd${sid}: heal-node.log\n${own}\n--- etcd${sid}: console\n${console}`;
  });
  return (await Promise.all(logs)).join('\n');
}
