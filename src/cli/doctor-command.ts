import { type CommandSpec, EXIT } from './command.ts';
import { doctorQuestions, peaceGuards, peacetime } from './doctor-questions.ts';
import { look, printJson } from './look.ts';
import { planFor } from './plan-command.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  what: 'says whether everything is in place for the day it is needed, and what to do about what is not',
  json: 'heal-node.doctor/1',
  exits: '0 everything is in place, 4 something is not, 2 settings',
  run: async ({ json }) => {
    const looked = await look();
    const known = await peacetime(looked);
    const { guards } = await planFor(looked);
    const answers = [
      ...doctorQuestions.map(({ id, asks, finds }) => ({ id, asks, finding: finds(known) || null })),
      ...guards
        .filter(({ id }) => peaceGuards.includes(id))
        .map(({ id, asks, pass, why }) => ({ id, asks, finding: pass ? null : why })),
    ];
    if (json) printJson({ schema: 'heal-node.doctor/1', answers });
    else
      for (const { id, asks, finding } of answers)
        console.log(finding === null ? `  ok   ${id}: ${asks}` : `  FIX  ${id}: ${finding}`);
    return answers.some(({ finding }) => finding !== null) ? EXIT.notHealthy : EXIT.done;
  },
};
