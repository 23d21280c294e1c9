/** What was reached, by kind and name: what a run of many schedules must show (see sim.test.ts). */
import { type Rule, rules } from '../../src/diagnose/rules.ts';
import { type Guard, guards } from '../../src/plan/guards.ts';

export type Kind = 'rule' | 'guard refuses' | 'breakage' | 'fault' | 'invariant' | 'event' | 'story';
export type Counts = Record<string, number>;

const counts: Counts = {};

export function count(kind: Kind, name: string): void {
  const key = `${kind}: ${name}`;
  counts[key] = (counts[key] ?? 0) + 1;
}

export const reached = (): Counts => counts;

type Loose<T> = { -readonly [K in keyof T]: T[K] };

/** Every rule that decides, and every guard that refuses, is counted from now on. */
export function watchTables(): void {
  for (const [reason, rule] of Object.entries<Loose<Rule>>(rules)) {
    const { when } = rule;
    rule.when = (situation) => {
      const evidence = when(situation);
      if (evidence) count('rule', reason);
      return evidence;
    };
  }
  const loose: Record<string, Guard> = guards;
  for (const [id, refuses] of Object.entries<Guard>(guards)) {
    loose[id] = (situation, facts) => {
      const why = refuses(situation, facts);
      if (why) count('guard refuses', id);
      return why;
    };
  }
}

/** What clusters of 3, 5 and 7 cannot show: real machines tell it (test/machines/kinds/rows.ts). */
const OF_OTHER_SIZES = ['quorum-lost/only-member'];

/** Everything of those tables that has to be reached. */
export const tableKeys = (): string[] => [
  ...Object.keys(rules).flatMap((reason) => (OF_OTHER_SIZES.includes(reason) ? [] : [`rule: ${reason}`])),
  ...Object.keys(guards).map((id) => `guard refuses: ${id}`),
];
