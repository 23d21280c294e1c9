import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeProgress, type Told, type True } from './progress.ts';

/** Ten megabytes a second for ten seconds, with nothing before and after. */
const ARRIVED: True[] = Array.from({ length: 14 }, (_, second) => ({
  atMs: second * 1000,
  bytes: Math.min(10, Math.max(0, second - 1)) * 10e6,
}));
const told = (atMs: number, source: Told['source'], fields: Told['fields']): Told => ({
  atMs,
  source,
  fields,
});

test('what is never said is named, by its source', () => {
  const [log = '', status = ''] = judgeProgress(ARRIVED, [
    told(0, 'log', { bytes: 1 }),
    told(5000, 'log', { event: 'step-begins', durationMs: 4 }),
    told(5000, 'status', { step: 'verify', running: true }),
  ]);
  assert.match(
    log,
    /100 MB arrived in 9\.0 s; meanwhile heal-node logged 1 times; never: bytes, rate, what is left/,
  );
  assert.match(status, /its status showed the heal 1 times; never: bytes, rate, what is left/);
});

test('what is said is held against what was there', () => {
  const [log = '', status = ''] = judgeProgress(ARRIVED, [
    told(6000, 'log', { progress: { arrivedBytes: 60e6, leftBytes: 40e6, ratePerSec: 10e6 } }),
    told(6000, 'status', { bytes: 50e6 }),
  ]);
  assert.not.match(log, /never/);
  assert.match(
    status,
    /with bytes that were at most 0 % of the whole from the truth; never: rate, what is left/,
  );
});

test('nothing that arrives is nothing to tell of', () => {
  assert.match(judgeProgress([], []).join(), /^0 MB arrived in 0\.0 s/);
});

test.run();
