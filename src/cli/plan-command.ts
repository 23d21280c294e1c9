import { askAsClient } from '../act/heal/ask-as-client.ts';
import { HealContext } from '../act/heal/heal-context.ts';
import { guardFacts } from '../act/heal/run-heal.ts';
import { commandsByHand } from '../plan/by-hand.ts';
import { healSteps } from '../plan/heal-steps.ts';
import { plan } from '../plan/plan.ts';
import { noLog } from '../report/log.ts';
import { healRecordFile, newRecord } from '../state/heal-record.ts';
import { retell, tell } from '../words/retell.ts';
import { wordsOf } from '../words/words.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { whatNext } from './diagnose-command.ts';
import { type Looked, look, printJson } from './look.ts';

/** What a heal would do now, asked for by a person; where one is not finished, what that would go on with. */
export async function planFor({ settings, world, situation, diagnosis }: Looked) {
  const unfinished = await healRecordFile.read(world.machine, world.places.journal);
  const record = unfinished ?? newRecord(world.machine.now(), 'operator', diagnosis.reason);
  const heal = new HealContext(world, settings, noLog, { ...record, by: 'operator' }, situation.observed);
  const facts = await guardFacts(heal);
  // A heal that is paused goes on only where the cluster is short of this member (src/act/heal-service.ts).
  const goesOn = facts.goesOn && situation.membership !== 'listed';
  return { ...plan(situation, { ...facts, goesOn }, heal.memory), unfinished: unfinished?.id ?? null };
}

/** Shows what a heal would do now. @returns whether one may begin or go on, and the exit code of `plan` */
export async function showPlan(json = false) {
  const looked = await look();
  const planned = await planFor(looked);
  const { verdict, reason, steps, guards, unfinished } = planned;
  const refusing = guards.filter(({ pass }) => !pass);
  if (json) printJson(planned);
  else {
    console.log(tell('The verdict is {0} ({1}). [{2}]', verdict, reason, wordsOf(reason).code));
    if (unfinished)
      console.log(tell('Heal {0} is not finished; `heal-node resume` takes it up.', unfinished));
    else if (steps.length === 0) console.log(tell('There is nothing to heal.'));
    for (const line of steps.length === 0 && verdict !== 'healthy' ? whatNext(looked) : []) console.log(line);
    for (const { id, runbookStep, what } of steps)
      console.log(tell('  {0} (runbook step {1}): {2}', id, runbookStep, what));
    for (const { id, why } of steps.length > 0 ? refusing : [])
      console.log(retell('  guard {0}: refuses, {1}', id, why));
    if (steps.length > 0 && refusing.length === 0)
      console.log(tell('  All {0} guards pass: `heal-node heal` may begin.', guards.length));
  }
  return {
    mayBegin: unfinished !== null || (steps.length > 0 && refusing.length === 0),
    code: steps.length > 0 && refusing.length > 0 ? EXIT.refused : EXIT.done,
  };
}

/**
 * Prints the commands that do the same by hand, to be pasted into a shell on this node; none where a guard refuses, which
 * a person must not go round either. @returns the exit code of `plan`
 */
async function printByHand(): Promise<number> {
  let looked = await look();
  // A node without certificates can ask nobody: with the names and the metadata service's client it looks once more.
  const asks = askAsClient(looked.world, looked.situation).catch(({ message }: Error) =>
    console.error(retell('what it takes to ask the others cannot be had: {0}', message)),
  );
  if (await asks) looked = await look();
  const { steps, guards } = await planFor(looked);
  const { verdict, reason, means } = looked.diagnosis;
  // The commands pause it themselves.
  const refusing = guards.filter(({ id, pass }) => !pass && id !== 'not-paused');
  if (steps.length === 0)
    console.log(tell('# There is nothing to heal: the verdict is {0} ({1}), {2}.', verdict, reason, means));
  else if (refusing.length > 0) {
    const why = refusing.map(({ id, why }) => `${id}: ${why}`).join('; ');
    console.error(retell('heal-node plan: no commands are printed, as they could do harm now: {0}.', why));
    return EXIT.refused;
  } else {
    const left = healSteps.filter(({ id }) => steps.some((step) => step.id === id));
    console.log(commandsByHand(looked.situation, looked.world.places, looked.settings, left));
  }
  return EXIT.done;
}

export const planCommand: CommandSpec = {
  name: 'plan',
  run: async ({ json, manual }) => (manual ? printByHand() : (await showPlan(json === true)).code),
};
