import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { estimatedCost, waitAfter } from '../../src/cluster/comparison-allowance.ts';

const GB = 1_000_000_000;

test('a comparison costs each member at most its fraction of the time, though every node compares', () => {
  for (const count of [3, 5, 7])
    for (const each of [0.1, 1, 10, 25]) {
      const waitMs = waitAfter({ longestMs: each, sumMs: count * each }, 0.001);
      // In that time each of the nodes compares once, and each time every member hashes once.
      assert.ok(Math.abs((count * each) / waitMs - 0.001) < 1e-9, `${count} × ${each}`);
    }
});

test('the longer a pause is felt, the more seldom it comes; with 0 it never does', () => {
  const wait = (ms: number) => waitAfter({ longestMs: ms, sumMs: 3 * ms }, 0.001);
  assert.is(wait(25), 75_000);
  assert.is(wait(250), 75_000 * 10 * 10);
  assert.is(waitAfter({ longestMs: 1, sumMs: 3 }, 0), Number.POSITIVE_INFINITY);
});

test('what has not been measured is estimated by size: a small database now, a large one in hours', () => {
  const wait = (bytes: number) => waitAfter(estimatedCost([bytes, bytes, bytes]), 0.001);
  assert.ok(wait(20_480) < 1000);
  assert.ok(wait(1.2 * GB) > 3_600_000, `${wait(1.2 * GB)}`);
});

test.run();
