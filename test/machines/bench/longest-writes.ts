import type { Bed } from '../bed/bed.ts';
import { Client } from '../bed/client.ts';
import { sleep } from '../bed/sh.ts';

/** In each one check, of one node after the other: three times as often as AppCenter's, and every one a deep check. */
const WINDOW_MS = 6000;
const WINDOWS = 9;

export interface LongestWrites {
  /** Of each window, the longest pause between two acknowledged writes of a client, in milliseconds. */
  readonly without: readonly number[];
  /** The same while the nodes' checks run in turn, and may compare each time as far as the rule allows it. */
  readonly checked: readonly number[];
  /** How many comparisons there were in those windows, on all nodes. */
  readonly comparisons: number;
  /** The same while all members are asked for their hash one after the other, whatever the rule allows. */
  readonly forced: number;
}

const comparisonsOn = async (bed: Bed): Promise<number> => {
  const counts = bed.machines.map((machine) =>
    machine.sh(`grep -cE '"msg":"[^"]*its data equal' /var/log/heal-node/heal-node.log || true`),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + Number(count), 0);
};

/** One client on each member, so that a pause on any of them is felt; windows with and without in turn. */
export async function longestWrites(bed: Bed): Promise<LongestWrites> {
  const clients = bed.machines.map(
    (machine) => new Client(bed, { to: [machine], prefix: `bench/${machine.name}/`, pauseMs: 5 }),
  );
  const longest = async (meanwhile: () => Promise<unknown>): Promise<number> => {
    for (const client of clients) client.takeLongestPause();
    await Promise.all([sleep(WINDOW_MS), meanwhile()]);
    return Math.max(...clients.map((client) => client.takeLongestPause()));
  };
  const without: number[] = [];
  const checked: number[] = [];
  try {
    for (const client of clients) await client.writes(50);
    const before = await comparisonsOn(bed);
    for (let n = 0; n < WINDOWS; n++) {
      without.push(await longest(async () => undefined));
      const machine = bed.machine((n % bed.machines.length) + 1);
      checked.push(await longest(() => machine.hook('health-check')));
    }
    const comparisons = (await comparisonsOn(bed)) - before;
    const forced = await longest(async () => {
      for (const { endpoint } of bed.machines) await bed.etcdctl([endpoint], 'endpoint', 'hashkv');
    });
    return { without, checked, comparisons, forced };
  } finally {
    for (const client of clients) await client.stop();
  }
}
