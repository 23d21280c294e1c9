import { healRounds, healRows } from './heal-rounds.ts';
import { healByStart } from './heals.ts';
import { onBed } from './on-bed.ts';
import { part, ratio } from './part.ts';

export const heals = part({
  name: 'heals',
  what: 'A heal at small data',
  how: 'Member 2 of three loses its data dir and its etcd has given up. It is healed by heal-node and by the bare runbook: a script with every answer known beforehand, which begins when a person knows what is wrong. The two in turn, each first every other time. Once heal-node begins with the start that its gate refuses, as at a boot; and once, with `HEAL_AT_BOOT=off`, with the health action. *A member short* is the time from the removal of the old member until the new one answers as healthy.',
  minutes: 10,
  goals: { heal: ratio(1), short: ratio(1) },
  run: ({ rounds }, goals) =>
    onBed({}, async (bed) => {
      const byStart = await healRounds(bed, rounds, undefined, healByStart);
      const { ours, bare } = await healRounds(bed, rounds);
      const short = [ours, bare].map((all) => all.map(({ shortMs }) => shortMs));
      return {
        rows: [
          ...healRows(
            byStart,
            'heal at small data from the refused start, against the bare runbook',
            goals.heal,
          ),
          ...healRows(
            { ours, bare },
            'heal at small data by the health action, against the bare runbook',
            goals.heal,
          ),
          {
            what: 'a member short, against the bare runbook',
            unit: 'ms',
            ours: short[0] ?? [],
            other: short[1] ?? [],
            goal: goals.short,
          },
        ],
        notes: [],
      };
    }),
});
