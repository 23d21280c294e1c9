import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLog } from '../../src/report/log.ts';

const test = suite('log', { dir: '' });
test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'heal-node-log-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

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

test('a run that goes on writes to the log that another has begun', ({ dir }) => {
  const path = join(dir, 'heal-node.log');
  const long = openLog('service', path);
  long.info({ event: 'x' }, 'Before.');
  appendFileSync(path, 'x'.repeat(4 << 20));
  openLog('health-action', path).info({ event: 'y' }, 'Another.');
  long.info({ event: 'z' }, 'After.');
  assert.match(readFileSync(path, 'utf8'), /^[^\n]*Another\.[^\n]*\n[^\n]*After\.[^\n]*\n$/);
  assert.match(readFileSync(`${path}.1`, 'utf8'), /Before/);
});

test.run();
