import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { linesOf } from '../../../src/machine/systemd/journal.ts';

const NATIVE = { _TRANSPORT: 'journal', __REALTIME_TIMESTAMP: '1795577319625511', PACKAGE: 'etcdmain' };
const STREAM = { _TRANSPORT: 'stdout', PRIORITY: '6' };

/** As journalctl prints them with `--reverse`. */
const journal = (...entries: readonly object[]): string =>
  entries
    .map((entry) => JSON.stringify(entry))
    .reverse()
    .join('\n');

test('an entry that etcd hands to journald becomes the line that capnslog prints elsewhere', () => {
  const entry = { ...NATIVE, PRIORITY: '2', MESSAGE: 'walpb: crc mismatch' };
  assert.equal(linesOf(journal(entry)), ['2026-11-25 03:28:39.625 C | etcdmain: walpb: crc mismatch']);
});

test('an entry is one line, however many its text has, and bytes that are no text', () => {
  const entry = { ...NATIVE, PRIORITY: '5', PACKAGE: 'auth', MESSAGE: 'Role x\npanic: y\n is created' };
  const bytes = { ...entry, MESSAGE: [82, 10, 27, 80] };
  assert.equal(linesOf(journal(entry, bytes)), [
    '2026-11-25 03:28:39.625 N | auth: Role x\\npanic: y\\n is created',
    '2026-11-25 03:28:39.625 N | auth: R\\n\u001bP',
  ]);
});

test('what came through a stream stands at the end, and a line that journald has cut is one', () => {
  const lines = linesOf(
    journal(
      { ...STREAM, MESSAGE: 'panic: x' },
      { ...NATIVE, PRIORITY: '6', MESSAGE: 'read later' },
      { ...STREAM, MESSAGE: '{"msg":"x', _LINE_BREAK: 'line-max' },
      { ...STREAM, MESSAGE: 'panic: y"}' },
      { ...STREAM, MESSAGE: 'goroutine 1 [running]:' },
    ),
  );
  assert.equal(lines, [
    '2026-11-25 03:28:39.625 I | etcdmain: read later',
    'panic: x',
    '{"msg":"xpanic: y"}',
    'goroutine 1 [running]:',
  ]);
});

test('nothing, and an entry that was cut off where there was too much', () => {
  assert.equal(linesOf(''), []);
  assert.equal(linesOf(`${journal({ ...STREAM, MESSAGE: 'x' })}\n{"MESS`), ['x']);
});

test.run();
