import type { CommandSpec, Described } from './command.ts';
import bash from './completion/bash.sh' with { type: 'text' };
import fish from './completion/heal-node.fish' with { type: 'text' };
import zsh from './completion/zsh.sh' with { type: 'text' };

const templates = { bash, zsh, fish } as const;

/** What may follow, a line each: the command (`-` before there is one), a word, what it means. */
const rows = (commands: readonly Described[]): string =>
  [
    ...commands.map(({ name, what }) => ['-', name, what]),
    ...commands.flatMap(({ name, words = [], options = [], json }) => [
      ...words.flatMap(([, what, choices]) => (choices ?? []).map((choice) => [name, choice, what])),
      ...options.map(([flags, what]) => [name, flags.replace(/ .*/, ''), what]),
      ...(json ? [[name, '--json', `prints ${json}`]] : []),
    ]),
  ]
    .map((row) => row.join('\t'))
    .join('\n')
    .replaceAll("'", '’'); // no quote of a shell is in it

/** @param commands all of them, this one too */
export const completionCommand = (commands: () => readonly Described[]): CommandSpec => ({
  name: 'completion',
  words: [['<shell>', 'whose', Object.keys(templates)]],
  forAll: true,
  run: async (_, [shell]) => {
    const script = templates[shell as keyof typeof templates].trimEnd();
    console.log(script.replace('@ROWS@', () => rows(commands())));
    return 0;
  },
});
