import type { Diagnosis } from '../diagnose/diagnose.ts';
import type { Response } from '../diagnose/verdicts.ts';
import { fillIn } from '../report/fill-in.ts';
import { recovery } from '../report/recovery.ts';
import texts from '../report/texts.json';
import type { Settings } from '../settings/settings-table.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { look, printJson } from './look.ts';

export const intent: Readonly<Record<Response, string>> = {
  nothing: 'The health action does nothing.',
  restart: "The health action runs the app's restart.",
  'restart-if-dead': "The health action runs the app's restart if the process is dead, and nothing else.",
  kill: "The health action kills it and runs the app's restart.",
  heal: 'The health action heals it, if every guard passes (`heal-node plan`).',
  resume: 'The health action takes the heal up again (`heal-node plan`).',
};

/** What heal-node will do about a verdict, and what a person should. */
export function whatNext({ response, advice }: Diagnosis, settings: Settings): readonly string[] {
  const will =
    settings.mode === 'manual' && response === 'heal'
      ? 'HEAL_MODE is manual: heal it by hand with `heal-node heal`.'
      : settings.mode === 'off'
        ? "HEAL_MODE is off: the hooks do what the app's own would."
        : intent[response];
  return advice === '' ? [will] : [will, `Action: ${advice}.`];
}

export const diagnoseCommand: CommandSpec = {
  name: 'diagnose',
  what: 'says what is wrong with this member, with the evidence',
  json: 'heal-node.diagnosis/2',
  exits: '0 healthy, 4 not healthy, 2 settings',
  run: async ({ json }) => {
    const { settings, world, situation, diagnosis } = await look();
    const byHand = recovery(situation, diagnosis.verdict, world.places.env);
    if (json) {
      printJson({ ...diagnosis, recovery: byHand ?? null });
    } else {
      const { node, verdict, reason, means, evidence } = diagnosis;
      console.log(`${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`);
      for (const { source, text, tookMs } of evidence) console.log(`  - ${source}: ${text} [${tookMs} ms]`);
      for (const line of whatNext(diagnosis, settings)) console.log(line);
      const { here, terminal } = texts.recovery;
      for (const line of verdict === 'healthy' ? [] : fillIn([here], situation)) console.log(line);
      for (const line of byHand ? fillIn([terminal], byHand) : []) console.log(line);
    }
    return diagnosis.verdict === 'healthy' ? EXIT.done : EXIT.notHealthy;
  },
};
