import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeProgress, ratesOf, type True } from './progress.ts';

/** Ten megabytes a second for ten seconds, with nothing before and after. */
const ARRIVED: True[] = Array.from({ length: 14 }, (_, second) => ({
  atMs: second * 1000,
  bytes: Math.min(10, Math.max(0, second - 1)) * 10e6,
}));

test('that nothing is said of them is said', () => {
  assert.match(judgeProgress(ARRIVED, []), /^100 MB arrived in 10\.0 s; heal-node logged nothing of it/);
});

test('what is said is held against what was there, at its worst', () => {
  const first = { atMs: 6000, bytes: 50e6, ofBytes: 100e6, bytesPerSecond: 10e6 };
  assert.match(
    judgeProgress(ARRIVED, [first]),
    /logged 1 times .* at most 0 % of the whole .* arrived, 0 % in how much there is, 0 % in what came/,
  );
  const second = { atMs: 11_000, bytes: 70e6, ofBytes: 80e6, bytesPerSecond: 2e6 };
  assert.match(
    judgeProgress(ARRIVED, [first, second]),
    /logged 2 times .* at most 30 % of the whole .* arrived, 20 % in how much there is, 40 % in what came/,
  );
});

test('nothing that arrives is nothing to tell of', () => {
  assert.match(judgeProgress([], []), /^0 MB arrived in 0\.0 s/);
  assert.equal(ratesOf([]), []);
  assert.equal(ratesOf(ARRIVED), [9.5], 'nearly all of it, as clients go on writing');
});

test.run();
