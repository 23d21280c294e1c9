import { fillIn } from '../report/fill-in.ts';
import { recovery } from '../report/recovery.ts';
import texts from '../report/texts.json';
import { language, retell, tell, tellEvidence } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';
import intent from './intent.json';
import { type Looked, look, printJson } from './look.ts';

/** What heal-node will do about a verdict, and what a person should. */
export function whatNext({ diagnosis, settings, situation }: Omit<Looked, 'world'>): string[] {
  const { response, advice } = diagnosis;
  const { paused, joined, membership } = situation;
  // One that was cut off while the cluster is short of this member goes on all the same (src/act/heal-service.ts).
  const stays = response === 'heal' || (response === 'resume' && (joined || membership === 'listed'));
  const will =
    paused && stays
      ? retell('No heal is begun or taken up: {0}.', paused)
      : settings.mode === 'manual' && response === 'heal'
        ? tell('HEAL_MODE is manual: heal it by hand with `heal-node heal`.')
        : settings.mode === 'off'
          ? tell("HEAL_MODE is off: the hooks do what the app's own would.")
          : tell(intent[response]);
  return advice === '' ? [will] : [will, tell('Action: {0}.', advice)];
}

/** What is wrong with this member, in a sentence. */
export const headline = ({ diagnosis: { node, verdict, reason, means } }: Looked): string =>
  retell('{0} is {1} ({2}): {3}.', node.name || 'This node', verdict, reason, means);

export const diagnoseCommand: CommandSpec = {
  name: 'diagnose',
  run: async ({ json }) => {
    const looked = await look();
    const { diagnosis, situation, world } = looked;
    const of = json ? 'en' : language;
    const byHand = recovery(situation, diagnosis.verdict, world.places.env, of);
    if (json) printJson({ ...diagnosis, recovery: byHand ?? null });
    else {
      console.log(headline(looked));
      for (const { source, text, tookMs } of diagnosis.evidence.map(tellEvidence))
        console.log(`  - ${source}: ${text} [${tookMs} ms]`);
      for (const line of whatNext(looked)) console.log(line);
      for (const line of diagnosis.verdict === 'healthy' ? [] : fillIn([texts.recovery.here], situation))
        console.log(line);
      for (const line of byHand ? fillIn([texts.recovery[of].terminal], byHand) : []) console.log(line);
    }
    return diagnosis.verdict === 'healthy' ? EXIT.done : EXIT.notHealthy;
  },
};
