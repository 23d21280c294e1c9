import { HealContext } from '../act/heal/heal-context.ts';
import { guardFacts } from '../act/heal/run-heal.ts';
import { plan } from '../plan/plan.ts';
import { noLog } from '../report/log.ts';
import { newRecord } from '../state/heal-record.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { type Looked, look, printJson } from './look.ts';

/** What a heal would do now, asked for by a person. */
export async function planFor({ settings, world, situation, diagnosis }: Looked) {
  const record = newRecord(world.machine.now(), 'operator', diagnosis.reason);
  const heal = new HealContext(world, settings, noLog, record, situation.observed);
  return plan(situation, await guardFacts(heal));
}

/** Shows what a heal would do now. @returns its steps, and the exit code of `plan` */
export async function showPlan(json = false) {
  const planned = await planFor(await look());
  const { verdict, reason, steps, guards } = planned;
  if (json) {
    printJson(planned);
  } else {
    console.log(`The verdict is ${verdict} (${reason}).`);
    if (steps.length === 0) console.log('There is nothing to heal.');
    for (const { id, runbookStep, what } of steps)
      console.log(`  ${id} (runbook step ${runbookStep}): ${what}`);
    for (const { id, pass, why } of guards)
      console.log(`  guard ${id}: ${pass ? 'passes' : `refuses, ${why}`}`);
  }
  return { steps, code: steps.length > 0 && guards.some(({ pass }) => !pass) ? EXIT.refused : EXIT.done };
}

export const planCommand: CommandSpec = {
  name: 'plan',
  what: 'says what a heal would do now, step by step, and which guards let it',
  json: 'heal-node.plan/1',
  exits: '0 nothing to heal, or every guard passes; 3 a guard refuses; 2 settings',
  run: async ({ json }) => (await showPlan(json === true)).code,
};
