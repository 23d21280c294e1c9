import { test } from 'uvu';
import { AppCenter } from './appcenter.ts';
import { Bed, type BedOptions } from './bed.ts';
import type { Client } from './client.ts';
import type { TestMachine } from './machine.ts';
import { until } from './sh.ts';

export interface Stage {
  readonly bed: Bed;
  readonly machines: readonly TestMachine[];
  readonly machine: (sid: number) => TestMachine;
  /** AppCenter, calling the hooks of all nodes from now on, `speedup` times (60) as often as it does. */
  readonly appCenter: (speedup?: number) => AppCenter;
  /** A client that writes to all nodes from now on. */
  readonly client: () => Client;
}

/** Starts etcd on every node through the start hook, as AppCenter does when a cluster is created. */
export async function createCluster(bed: Bed): Promise<void> {
  const started = await Promise.all(bed.machines.map((machine) => machine.run('/opt/heal-node/bin/start')));
  const failed = started.find(({ code }) => code !== 0);
  if (failed) throw new Error(`start failed with ${failed.code}: ${failed.stdout} ${failed.stderr}`);
}

/** One story on real machines: boots them, tells it, and takes everything down, also when it fails. */
export function scenario(title: string, options: BedOptions, story: (stage: Stage) => Promise<void>): void {
  test(title, async () => {
    const bed = await Bed.boot(options);
    const ends: (() => Promise<void>)[] = [];
    try {
      await createCluster(bed);
      await story({
        bed,
        machines: bed.machines,
        machine: (sid) => bed.machine(sid),
        appCenter: (speedup = 60) => {
          const platform = new AppCenter(bed.machines, { speedup });
          ends.push(() => platform.stop());
          return platform;
        },
        client: () => {
          const client = bed.client();
          ends.push(() => client.stop());
          return client;
        },
      });
    } catch (error) {
      for (const machine of bed.machines.filter(({ isOn }) => isOn)) {
        const { stdout } = await machine.run('tail', '-n', '12', '/var/log/heal-node/heal-node.log');
        console.log(`--- log of ${machine.name}\n${stdout}`);
      }
      throw error;
    } finally {
      for (const end of ends) await end();
      await bed.down();
    }
  });
  test.run();
}

/** Waits until the node has ended a heal and stands on its originals, healthy. */
export async function healed(machine: TestMachine): Promise<void> {
  await until(
    `${machine.name} is healed`,
    async () => {
      if (!machine.isOn) return false;
      const { stdout } = await machine.run('/usr/local/bin/heal-node', 'status', '--json');
      const status = JSON.parse(stdout || '{}');
      return status.verdict === 'healthy' && status.heal === null && status.lastHeal?.outcome === 'healed';
    },
    120_000,
    500,
  );
}
