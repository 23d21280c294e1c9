import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { compareData } from '../../src/cluster/compare-data.ts';

/** Members that hash for so long each, by a clock that nothing else moves. */
function members(
  tookMs: readonly number[],
  answer: (n: number) => { hash: string; compactRevision: string },
) {
  let nowMs = 0;
  const asked: { n: number; revision: bigint; limitMs: number; hashing: number }[] = [];
  let hashing = 0;
  const hashKv: Cluster['hashKv'] = async (endpoint, revision, limitMs) => {
    const n = Number(endpoint);
    asked.push({ n, revision, limitMs, hashing: ++hashing });
    await Promise.resolve();
    const ms = tookMs[n] ?? 0;
    nowMs += Math.min(ms, limitMs);
    hashing--;
    if (ms > limitMs) throw new Error(`${n}: no hash within ${limitMs} ms`);
    return answer(n);
  };
  const list = tookMs.map((_, n) => ({ endpoint: `${n}`, revision: BigInt(100 + n) }));
  const compare = (limitMs: number) =>
    compareData({ hashKv } as Cluster, { monotonicMs: () => nowMs }, list, limitMs);
  return { asked, compare };
}

const same = () => ({ hash: '7', compactRevision: '5' });

test('members hash one after the other, each once, at the least revision', async () => {
  const { asked, compare } = members([20, 300, 40], same);
  const { found, cost } = await compare(3000);
  assert.equal(
    asked.map(({ n, revision, hashing }) => [n, revision, hashing]),
    [
      [0, 100n, 1],
      [1, 100n, 1],
      [2, 100n, 1],
    ],
  );
  assert.equal(cost, { longestMs: 300, sumMs: 360 });
  assert.ok(typeof found !== 'string' && found.hashes.size === 3);
});

test('one that does not answer in time ends it: nobody is asked again, nor anybody after it', async () => {
  const { asked, compare } = members([20, 5000, 40], same);
  const { found, cost } = await compare(3000);
  assert.equal(
    asked.map(({ n }) => n),
    [0, 1],
  );
  assert.is(found, '1: no hash within 2980 ms');
  assert.equal(cost, { longestMs: 2980, sumMs: 3000 });
});

test('hashes at different compactions are not compared', async () => {
  const { asked, compare } = members([1, 1, 1], (n) => ({ hash: '7', compactRevision: `${n}` }));
  assert.is((await compare(3000)).found, 'their compactions differ');
  assert.is(asked.length, 2);
});

test.run();
