import type { Row } from '../../bench/figures.ts';
import { say } from '../demo/lines.ts';
import { fill, largeValues } from './fill.ts';
import { type LongestWrites, longestWrites } from './longest-writes.ts';
import { onBed } from './on-bed.ts';
import { part, ratio } from './part.ts';

/** Where the longest write has its goal; etcd holds the whole log of so few values in memory. */
const MOST_MEGABYTES = 1200;
const VALUE_BYTES = 512 * 1024;

/** What stands beside it without heal-node; and what no rule would allow, for scale. */
const note = (what: string, { checked, without, comparisons, forced }: LongestWrites): string =>
  `${what}: ${comparisons} comparisons meanwhile, as many as HEAL_COMPARE allows; longest of all ${Math.max(...checked)} ms, without ${Math.max(...without)} ms; with one out of turn, which no check makes, ${forced} ms.`;

export const writes = part({
  name: 'writes',
  what: 'The longest write of a client',
  how: 'One client on each member writes all the time. In windows of 6 s, in turn without any check and with one check of one node, three times as often as AppCenter calls and each a deep check that may compare data as far as `HEAL_COMPARE` allows: the longest pause between two acknowledged writes. At small data and at 1.2 GB.',
  minutes: 7,
  goals: { longest: ratio(1.5) },
  run: ({ megabytes }, goals) =>
    onBed({}, async (bed) => {
      for (const machine of bed.machines)
        await machine.sh('echo HEAL_DEEP_CHECK_INTERVAL=1s >>/opt/app/conf/heal-node.env');
      const small = await longestWrites(bed);
      const size = Math.min(megabytes, MOST_MEGABYTES);
      say(`filling the cluster with ${size} MB …`);
      await fill(bed, largeValues(size, VALUE_BYTES));
      const large = await longestWrites(bed);
      const row = (what: string, { checked, without }: LongestWrites): Row => ({
        what: `longest write ${what}, with checks and without`,
        unit: 'ms',
        ours: checked,
        other: without,
        goal: goals.longest,
      });
      return {
        rows: [row('at small data', small), row(`at ${size} MB`, large)],
        notes: [note('At small data', small), note(`At ${size} MB`, large)],
      };
    }),
});
