import { diagnose } from '../diagnose/diagnose.ts';
import type { Situation } from '../diagnose/situation.ts';
import { askGuards, type GuardFacts } from './guards.ts';
import { healSteps, nothingLearned } from './heal-steps.ts';

/**
 * What a heal would do now. `plan --json` prints it as it is, see docs/json.md. Pure. Steps are listed for `stale` and
 * `healing`; the guards are asked whatever the verdict.
 */
export function plan(situation: Situation, facts: GuardFacts, learned = nothingLearned()) {
  const { verdict, reason } = diagnose(situation);
  const heals = verdict === 'stale' || verdict === 'healing';
  // What the heal would learn on its way.
  const movesData = healSteps.some(({ id, done }) => id === 'set-aside' && !done(situation, learned));
  const staleMemberId = (movesData && situation.observed.data.memberId) || learned.staleMemberId;
  const left = healSteps.filter((step) => heals && !step.done(situation, { ...learned, staleMemberId }));
  return {
    schema: 'heal-node.plan/1' as const,
    verdict,
    reason,
    /** The steps still to be done; none where there is nothing to heal. */
    steps: left.map(({ id, runbookStep, what }) => ({ id, runbookStep, what })),
    guards: askGuards(situation, facts).map(({ transient: _, ...answer }) => answer),
  };
}
