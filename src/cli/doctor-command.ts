import { language, retell, tell } from '../words/retell.ts';
import { findingOf, questionOf } from '../words/words.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { doctorQuestions, peaceGuards, peacetime } from './doctor-questions.ts';
import { look, printJson } from './look.ts';
import { planFor } from './plan-command.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  run: async ({ json }) => {
    const looked = await look();
    const known = await peacetime(looked);
    const { guards } = await planFor(looked);
    const of = json ? 'en' : language;
    const answer = (id: string, finding: string | null) => ({ id, asks: questionOf(id, of), finding });
    const asked = guards.filter(({ id }) => peaceGuards.includes(id));
    const answers = [
      ...Object.entries(doctorQuestions).map(([id, finds]) => answer(id, findingOf(id, finds(known)))),
      ...asked.map(({ id, pass, why }) => answer(id, pass ? null : why)),
    ];
    const open = answers.filter(({ finding }) => finding !== null).map(({ id }) => id);
    if (json) printJson({ schema: 'heal-node.doctor/1', answers });
    else {
      for (const { id, asks, finding } of answers)
        console.log(`${tell(finding ? '  FIX ' : '  ok  ')} ${id}: ${finding ? retell(finding) : asks}`);
      console.log(tell(open.length > 0 ? 'To fix: {0}.' : 'Everything is in place.', open.join(', ')));
    }
    return open.length > 0 ? EXIT.notHealthy : EXIT.done;
  },
};
