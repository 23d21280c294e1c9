import type { Row } from '../../bench/figures.ts';
import type { Bed } from '../bed/bed.ts';
import { say } from '../demo/lines.ts';
import {
  breakMember,
  type Heal,
  healBare,
  healByAction,
  inParts,
  PARTS,
  serves,
  type Timed,
} from './heals.ts';
import { HealthWatch } from './health-watch.ts';

export type Kind = 'ours' | 'bare';
export type Heals = Readonly<Record<Kind, readonly Heal[]>>;

/**
 * Breaks and heals member 2 by heal-node and by the bare runbook in turn, each first every other time: neither has the
 * quieter machine.
 *
 * @param around what to do right before and after each heal
 * @param healOurs how heal-node comes to heal it
 */
export async function healRounds(
  bed: Bed,
  rounds: number,
  around: (kind: Kind, heal: () => Promise<Heal>) => Promise<Heal> = (_, heal) => heal(),
  healOurs: (bed: Bed) => Promise<Timed> = healByAction,
): Promise<Heals> {
  const watch = new HealthWatch(bed, bed.machine(2).endpoint);
  const healers: Readonly<Record<Kind, () => Promise<Heal>>> = {
    ours: async () => inParts(bed, watch, await healOurs(bed)),
    bare: () => healBare(bed, watch),
  };
  const heals: Record<Kind, Heal[]> = { ours: [], bare: [] };
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const kind of round % 2 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
        await breakMember(bed);
        await watch.settled();
        heals[kind].push(await around(kind, healers[kind]));
        await serves(bed);
      }
      say(
        `round ${round} of ${rounds}: heal ${heals.ours.at(-1)?.wholeMs} ms, runbook ${heals.bare.at(-1)?.wholeMs} ms`,
      );
    }
  } finally {
    await watch.stop();
  }
  return heals;
}

/** The whole heals side by side, and their parts. */
export function healRows({ ours, bare }: Heals, what: string, goal: NonNullable<Row['goal']>): Row[] {
  const beside = (of: (heal: Heal) => number) => ({
    unit: 'ms' as const,
    ours: ours.map(of),
    other: bare.map(of),
  });
  return [
    { what, ...beside(({ wholeMs }) => wholeMs), goal },
    ...PARTS.map((part) => ({ what: part, isDetail: true, ...beside(({ partsMs }) => partsMs[part]) })),
  ];
}
