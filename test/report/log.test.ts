import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openLog } from '../../src/report/log.ts';

/** What is said on standard error meanwhile. */
function said(act: () => void): string {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => lines.push(line);
  try {
    act();
  } finally {
    console.error = error;
  }
  return lines.join('\n');
}

test('a log that cannot be opened ends nothing, and is told once', () => {
  const told = said(() => openLog('test', '/dev/null/x/heal-node.log').warn({ event: 'x' }, 'A sentence.'));
  assert.match(told, /^heal-node goes on without its log \/dev\/null\/x\/heal-node\.log: E[^\n]*$/);
});

test('a log on a full disk neither', () => {
  const told = said(() => {
    const log = openLog('test', '/dev/full');
    log.info({ event: 'x' }, 'A sentence.');
    log.error({ event: 'y' }, 'Another.');
  });
  assert.match(told, /^heal-node goes on without its log \/dev\/full: ENOSPC[^\n]*$/);
});

test.run();
