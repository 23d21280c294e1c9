import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../../src/cli/commands.ts';

/** What the command prints for a shell. */
async function scriptOf(shell: string): Promise<string> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    await commands.find(({ name }) => name === 'completion')?.run({}, [shell]);
    return lines.join('\n');
  } finally {
    console.log = log;
  }
}

/** How each shell is asked what may follow these words, the last of them begun; one word a line. */
const asks: Readonly<Record<string, (script: string, words: readonly string[]) => string[]>> = {
  bash: (script, words) => [
    'bash',
    '-c',
    `${script}\ncomplete -p heal-node >/dev/null || exit 1
    COMP_WORDS=(heal-node ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
    _heal_node; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  // The completion system shows on a terminal alone: what it is given is what it would show.
  zsh: (script, words) => [
    'zsh',
    '-fc',
    `compdef() { : }; _describe() { print -l -- \${\${(P)2}%%:*} }\n${script}
    words=(heal-node ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _heal_node`,
  ],
  fish: (script, words) => ['fish', '-c', `${script}\ncomplete -C 'heal-node ${words.join(' ')}'`],
};

for (const [shell, ask] of Object.entries(asks)) {
  test(`${shell} completes commands, their options and words`, async () => {
    if (Bun.which(shell) === null) {
      assert.is.not(shell, 'bash', 'bash is always there');
      return;
    }
    const script = await scriptOf(shell);
    const found = (...words: string[]): string[] => {
      const [program = '', ...rest] = ask(script, words);
      const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
      assert.is(status, 0, stderr);
      const all = stdout.split('\n').map((line) => line.replace(/\t.*/, ''));
      return all.filter((word) => word !== '' && word.startsWith(words.at(-1) ?? '')).sort();
    };
    assert.equal(found(''), commands.map(({ name }) => name).sort());
    assert.equal(
      found('un'),
      ['uninstall', 'unpause'].filter((name) => commands.some((each) => each.name === name)),
    );
    assert.equal(found('pause', '--'), ['--cluster', '--for', '--reason']);
    assert.equal(found('plan', '--j'), ['--json']);
    assert.equal(found('hook', ''), ['health-action', 'health-check', 'start', 'stop']);
    assert.equal(found('completion', ''), ['bash', 'fish', 'zsh']);
    assert.equal(found('nothing', 'x'), []);
  });
}

test.run();
