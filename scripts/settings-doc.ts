/** `docs/settings.md`, from the table; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS_FILE } from '../src/settings/parse-settings.ts';
import { settingRows } from '../src/settings/setting-rows.ts';
import { code, table } from './markdown.ts';

export const DOC = join(import.meta.dirname, '../docs/settings.md');

export const settingsDoc = (): string => `# Settings

Made from \`src/settings/settings-table.ts\` and \`src/settings/setting-texts.json\` by \`npm run docs\`; a test compares it.

\`${SETTINGS_FILE}\`, root's alone to write, has lines \`KEY=value\`, read as systemd reads an environment file
(systemd.exec(5), EnvironmentFile): every key is optional, the last line of a key counts, and the environment wins over
the file. \`heal-node install\` lays the file with every key commented out and never changes one that is there;
\`heal-node config\` says which settings are in force, and from where. They are read anew by every hook and command.

An unknown \`HEAL_\` key, or a value that is not allowed, is an error that names place, key, value and what is allowed:
commands end with 2, and the hooks do what \`HEAL_MODE=off\` does, and say so, so that a typo does not take the health check
down; the gate goes by the lines that can be used.

${table(
  ['key', 'default', 'is', 'allowed'],
  settingRows.map(({ key, fallback, what, allowed }) => [
    code(key),
    fallback === '' ? '(empty)' : code(fallback),
    what,
    allowed,
  ]),
)}
`;

if (import.meta.main) writeFileSync(DOC, settingsDoc());
