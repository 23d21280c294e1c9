import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AppCenter } from './appcenter.ts';
import { Bed, type BedOptions } from './bed.ts';
import type { Client } from './client.ts';
import type { Ran, TestMachine } from './machine.ts';
import { machineLogs } from './machine-logs.ts';
import { until } from './sh.ts';
import { pastHeals } from './world.ts';

export interface Stage {
  readonly bed: Bed;
  readonly machines: readonly TestMachine[];
  readonly machine: (sid: number) => TestMachine;
  /** AppCenter, calling the hooks of all nodes, or of those that are given, from now on, `speedup` times (60) as often as it does. */
  readonly appCenter: (speedup?: number, machines?: readonly TestMachine[]) => AppCenter;
  /** A client that writes to all nodes from now on. */
  readonly client: () => Client;
}

/** An image whose settings file has these lines too. */
export const withSettings =
  (...lines: readonly string[]): NonNullable<BedOptions['image']> =>
  (dir) =>
    appendFileSync(join(dir, 'opt/app/conf/heal-node.env'), `${lines.join('\n')}\n`);

/** An image whose etcd is enabled by the app's start alone: systemd 257 is quick to use up its start limit at the first boot. */
export function notAtFirstBoot(dir: string): void {
  mkdirSync(join(dir, 'etc/systemd/system-preset'), { recursive: true });
  writeFileSync(join(dir, 'etc/systemd/system-preset/00-etcd.preset'), 'disable etcd.service\n');
}

/** Starts etcd on every node through the start hook, as AppCenter does when a cluster is created. */
export async function createCluster(bed: Bed): Promise<void> {
  const started = await Promise.all(bed.machines.map((machine) => machine.hook('start')));
  const failed = started.find(({ code }) => code !== 0);
  if (failed) throw new Error(`start failed with ${failed.code}: ${failed.stdout} ${failed.stderr}`);
}

/** What a story begins with. */
export interface StoryOptions extends BedOptions {
  /** False: machines that have booted, and no cluster yet. */
  readonly created?: boolean;
}

/** One story on real machines: boots them, tells it, and takes everything down, also when it fails. */
export function scenario(title: string, options: StoryOptions, story: (stage: Stage) => Promise<void>): void {
  test(title, async () => {
    const bed = await Bed.boot(options);
    const ends: (() => Promise<void>)[] = [];
    const platforms: AppCenter[] = [];
    try {
      if (options.created !== false) await createCluster(bed);
      await story({
        bed,
        machines: bed.machines,
        machine: (sid) => bed.machine(sid),
        appCenter: (speedup = 60, machines = bed.machines) => {
          const platform = new AppCenter(machines, { speedup });
          platforms.push(platform);
          ends.push(() => platform.stop());
          return platform;
        },
        client: () => {
          const client = bed.client();
          ends.push(() => client.stop());
          return client;
        },
      });
      for (const end of ends.splice(0)) await end();
      const overdue = platforms.flatMap((platform) => platform.overdue());
      if (overdue.length > 0)
        throw new Error(
          `AppCenter had to kill hooks at their limit: ${overdue.map(({ machine, kind, tookMs }) => `${kind} on ${machine.name} after ${tookMs} ms`).join(', ')}`,
        );
    } catch (error) {
      for (const machine of bed.machines) console.log(await machineLogs(machine));
      throw error;
    } finally {
      for (const end of ends) await end();
      await bed.down();
    }
  });
  test.run();
}

/** Waits until the gate has kept etcd from starting, and returns what it said last. */
export async function gateRefused(machine: TestMachine): Promise<string> {
  const told = await until(`the gate has refused on ${machine.name}`, async () => {
    const log = await machine.run('cat', '/var/log/heal-node/heal-node.log');
    return log.stdout.split('\n').findLast((line) => line.includes('"event":"gate-refused"'));
  });
  return JSON.parse(told).msg;
}

/** Waits until the node has ended a heal and stands on its originals, healthy. */
export async function healed(machine: TestMachine): Promise<void> {
  await until(
    `${machine.name} is healed`,
    async () => {
      if (!machine.isOn || pastHeals(machine).at(-1)?.outcome !== 'healed') return false;
      // While systemd has its hands full, the command says so instead.
      const status = await machine.cliJson('status').catch(() => undefined);
      if (status === undefined) return false;
      return status.verdict === 'healthy' && status.heal === null && status.lastHeal?.outcome === 'healed';
    },
    180_000,
    500,
  );
}

/** What a health action has ended in: a heal, which on a slow machine outlasts the action, and is waited for then. */
export async function endedHealed(machine: TestMachine, { code, stdout }: Ran): Promise<void> {
  assert.is(code, 0, stdout);
  if (/Healed in \d+ ms/.test(stdout)) return;
  assert.match(stdout, /The heal is under way/);
  await healed(machine);
}
