import { Argument, Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { attempt } from '../machine/attempt.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { SettingsError } from '../settings/parse-settings.ts';
import { retell } from '../words/retell.ts';
import { EXIT, UsageError } from './command.ts';
import { commands } from './commands.ts';

const EXITS =
  '0 done, 1 failed, 2 usage or settings, 3 refused by a guard, 4 not healthy (status, diagnose) or not in place (doctor).';

/** The operator's command, wired from the table. @returns the exit code of the contract */
export async function main(words: readonly string[]): Promise<number> {
  let code: number = EXIT.done;
  const program = new Command('heal-node')
    .description('An etcd node on QingCloud AppCenter that comes back by itself.')
    .version(version)
    .exitOverride()
    .addHelpText('after', `\nExit codes: ${EXITS}`);
  for (const spec of commands) {
    const command = program.command(spec.name).description(spec.what).exitOverride();
    for (const [name, what, choices] of spec.words ?? []) {
      const word = new Argument(name, what);
      command.addArgument(choices ? word.choices(choices) : word);
    }
    for (const [flags, what] of spec.options ?? []) command.option(flags, what);
    if (spec.json) command.option('--json', `prints ${spec.json} (docs/json.md)`);
    if (spec.exits) command.addHelpText('after', `\nExit codes: ${spec.exits}`);
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
    if (isUsage) attempt(loadSettings); // for their language
    const why = (error as Error).message.replace(/\.?$/, '.');
    console.error(retell(`${isUsage ? `heal-node ${words[0]}` : 'heal-node'}: ${why}`));
    return isUsage || error instanceof SettingsError ? EXIT.usage : EXIT.failed;
  }
}
