import { Argument, Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { SettingsError } from '../settings/parse-settings.ts';
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
      if (!spec.forAll && process.getuid?.() !== 0) {
        console.error(`heal-node ${spec.name}: has to be run by root, whose files it reads and writes.`);
        code = EXIT.usage;
        return;
      }
      code = await spec.run(command.opts(), command.args);
    });
  }
  try {
    await program.parseAsync(['node', 'heal-node', ...words]);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof SettingsError || error instanceof UsageError) {
      const called = error instanceof UsageError ? `heal-node ${words[0]}` : 'heal-node';
      console.error(`${called}: ${error.message.replace(/\.?$/, '.')}`);
      return EXIT.usage;
    }
    throw error;
  }
}
