import { healRounds, healRows } from './heal-rounds.ts';
import { onBed } from './on-bed.ts';
import { part, ratio } from './part.ts';

export const heals = part({
  name: 'heals',
  what: 'A heal at small data',
  how: 'Member 2 of three loses its data dir and its etcd has given up. It is healed by the health action, and by the bare runbook: a script with every answer known beforehand, which begins when a person knows what is wrong. The two in turn, each first every other time. *A member short* is the time from the removal of the old member until the new one answers as healthy.',
  minutes: 5,
  goals: { heal: ratio(1), short: ratio(1) },
  run: ({ rounds }, goals) =>
    onBed({}, async (bed) => {
      const { ours, bare } = await healRounds(bed, rounds);
      const short = [ours, bare].map((all) => all.map(({ shortMs }) => shortMs));
      return {
        rows: [
          ...healRows({ ours, bare }, 'heal at small data, against the bare runbook', goals.heal),
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
