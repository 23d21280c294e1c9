import { Argument, Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { attempt } from '../machine/attempt.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { SettingsError } from '../settings/parse-settings.ts';
import { language, retell, tell } from '../words/retell.ts';
import { EXIT, UsageError } from './command.ts';
import { commands } from './commands.ts';
import usage from './usage-in-chinese.json';

const EXITS =
  '0 done, 1 failed, 2 usage or settings, 3 refused by a guard, 4 not healthy (status, diagnose) or not in place (doctor).';

/** A text of the help in the language that is spoken. */
const inWords = (text: string): string => (language === 'zh' && usage[text as keyof typeof usage]) || text;

/** The operator's command, wired from the table. @returns the exit code of the contract */
export async function main(words: readonly string[]): Promise<number> {
  attempt(loadSettings); // for their language
  let code: number = EXIT.done;
  const program = new Command('heal-node')
    .description('An etcd node on QingCloud AppCenter that comes back by itself.')
    .version(version)
    .exitOverride()
    .configureHelp({ styleTitle: inWords, styleDescriptionText: inWords, displayWidth: Bun.stringWidth })
    .configureOutput({ outputError: (text, write) => write(`${retell(text.trim())}\n`) })
    .addHelpText('after', `\n${inWords('Exit codes: ')}${inWords(EXITS)}`);
  for (const spec of commands) {
    const command = program.command(spec.name).description(spec.what).exitOverride();
    for (const [name, what, choices] of spec.words ?? []) {
      const word = new Argument(name, inWords(what));
      command.addArgument(choices ? word.choices(choices) : word);
    }
    for (const [flags, what] of spec.options ?? []) command.option(flags, what);
    if (spec.json) command.option('--json', tell('prints {0} (docs/json.md)', spec.json));
    if (spec.exits) command.addHelpText('after', `\n${inWords('Exit codes: ')}${inWords(spec.exits)}`);
    command.action(async () => {
      if (!spec.forAll && process.getuid?.() !== 0)
        throw new UsageError('has to be run by root, whose files it reads and writes');
      code = await spec.run(command.opts(), command.args);
    });
  }
  try {
    await program.parseAsync(['node', 'heal-node', ...words]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const isUsage = error instanceof UsageError;
    const why = (error as Error).message.replace(/\.?$/, '.');
    console.error(retell(`${isUsage ? `heal-node ${words[0]}` : 'heal-node'}: ${why}`));
    return isUsage || error instanceof SettingsError ? EXIT.usage : EXIT.failed;
  }
}
