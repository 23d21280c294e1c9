import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as commands from '../../scripts/commands-doc.ts';
import * as settings from '../../scripts/settings-doc.ts';
import { commands as all } from '../../src/cli/commands.ts';
import { settingsTable } from '../../src/settings/settings-table.ts';

test('docs/settings.md is what the table says (`npm run docs` writes it)', () => {
  const text = readFileSync(settings.DOC, 'utf8');
  assert.is(text, settings.settingsDoc());
  for (const { key } of Object.values(settingsTable)) assert.match(text, `| \`${key}\` |`);
});

test('docs/commands.md is what the commands say (`npm run docs` writes it)', () => {
  const text = readFileSync(commands.DOC, 'utf8');
  assert.is(text, commands.commandsDoc());
  for (const { name } of all) assert.match(text, new RegExp(`^## heal-node ${name}( [<[]|$)`, 'm'));
});

test.run();
