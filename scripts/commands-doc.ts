/** `docs/commands.md`, from the commands' values; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Described } from '../src/cli/command.ts';
import { commands } from '../src/cli/commands.ts';
import { code, table } from './markdown.ts';

export const DOC = join(import.meta.dirname, '../docs/commands.md');

const usage = ({ name, words = [] }: Described): string => [name, ...words.map(([word]) => word)].join(' ');

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function section(spec: Described): string {
  const { what, words = [], options = [], json, exits } = spec;
  const rows = [
    ...words.map(([word, means, choices]) => [
      code(word),
      choices ? `${means}: ${choices.join(', ')}` : means,
    ]),
    ...options.map(([flags, means]) => [code(flags), means]),
    ...(json ? [[code('--json'), `prints ${json}, see [json.md](json.md)`]] : []),
  ];
  const parts = [
    `## heal-node ${usage(spec)}`,
    sentence(what),
    rows.length > 0 && table(['option', 'does'], rows),
    exits && `Exit codes: ${exits}.`,
  ];
  return parts.filter(Boolean).join('\n\n');
}

export const commandsDoc = (): string => `# Commands

Made from the values in \`src/cli\` by \`npm run docs\`; a test compares it. \`heal-node --help\`, \`heal-node NAME --help\` and
\`heal-node completion SHELL\` come from the same values.

Run as root, but for \`completion\`. Without a terminal nothing is asked and nothing has colours. Exit codes: 0 done,
1 failed, 2 usage or settings, 3 refused, 4 not healthy; where a command's own differ it says so.

Completion: \`heal-node completion bash >/usr/share/bash-completion/completions/heal-node\`,
\`heal-node completion zsh >/usr/local/share/zsh/site-functions/_heal-node\`,
\`heal-node completion fish >/etc/fish/completions/heal-node.fish\`.

${commands.map(section).join('\n\n')}
`;

if (import.meta.main) writeFileSync(DOC, commandsDoc());
