import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { logsCommand } from '../../src/cli/logs-command.ts';
import { parseLines, readableLine } from '../../src/report/read-log.ts';

/** Why the command refuses these options; empty where it does not. */
const refused = (options: Record<string, string>): Promise<string> =>
  logsCommand.run(options, []).then(
    () => '',
    (error: Error) => error.message,
  );

test('a value that is not allowed is named with what is', async () => {
  for (const since of ['yesterday', '5', '3w', '2026-13-01', '2026-11-29 18:00', '-1h', ''])
    assert.match(await refused({ since }), /^--since .* is not allowed; allowed is a time ago such as 45s/);
  for (const lines of ['0', '-1', 'x', '1e3'])
    assert.match(await refused({ lines }), /^--lines .*a whole number/);
  assert.match(
    await refused({ heal: '../x' }),
    /^--heal \.\.\/x is not allowed; allowed is the ID of a heal/,
  );
});

test('a line is one line, whatever stands in it', () => {
  const [line] = parseLines([
    JSON.stringify({
      level: 'warn',
      time: '2026-01-01T00:00:00.000Z',
      caller: 'x',
      event: 'y',
      msg: 'a\u001b[2Jb\nc',
    }),
  ]);
  assert.is(line && readableLine(line), '2026-01-01T00:00:00.000Z WARN x: a\\u{1b}[2Jb c');
});

test.run();
