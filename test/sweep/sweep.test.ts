import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { baseRoot } from '../machines/bed/base-root.ts';
import { DAMAGES } from './damages.ts';
import { RECORDINGS } from './recordings.ts';
import { sweep } from './sweep.ts';
import { isRefused, isServed, isTold, sums, table } from './table.ts';

/** Those whose log has files of 64 MB are left to `npm run sweep`: they take longer than all others together. */
const SMALL = RECORDINGS.filter((name) => !/files/.test(name));

const binary = join(await baseRoot(console.log), 'opt/etcd/current/etcd');
const cases = await sweep({ binary, cases: 200, seed: 1, lanes: 3, recordings: SMALL });
console.log(table(cases));

test('a real etcd serves what was not damaged, and refuses much of what was', () => {
  const untouched = cases.filter(({ damage }) => damage === 'nothing');
  assert.ok(untouched.length > 0 && untouched.every(isServed));
  const { served, refused } = sums(cases);
  assert.ok(served > 50 && refused > 50, `${served} served, ${refused} refused`);
  assert.ok(new Set(cases.map(({ damage }) => damage)).size > Object.keys(DAMAGES).length / 2);
});

test('nothing that etcd serves is called damaged', () => {
  const wrong = cases.filter((one) => isServed(one) && isTold(one));
  assert.equal(
    wrong.map(({ number, recording, damage, examination }) => [
      number,
      recording,
      damage,
      examination.damage,
    ]),
    [],
  );
});

test('of what etcd refuses, 19 of 20 are told without its log, as far as so few cases can say', () => {
  const { refused, refusedTold } = sums(cases);
  // Each run's data are others. What chance alone takes from 19 of 20 is three standard deviations at most; 5,000 cases
  // leave it nothing to take (docs/examiner.md).
  const chance = 3 * Math.sqrt(refused * 0.05 * 0.95);
  const missed = cases.filter((one) => isRefused(one) && !isTold(one));
  assert.ok(
    refusedTold >= 0.95 * refused - chance,
    missed
      .map(({ number, recording, damage, lastWords }) => [number, recording, damage, ...lastWords].join(': '))
      .join('\n'),
  );
});

test('a cluster that was founded and never written to is told from every other', () => {
  const undamaged = cases.filter(
    ({ damage }) => damage === 'nothing' || damage === 'log: a stray file beside it',
  );
  for (const { recording, examination, number } of undamaged)
    if (examination.kind !== 'damaged')
      assert.is(
        examination.kind,
        recording === 'founding' ? 'founding' : 'whole',
        `case ${number}, ${recording}`,
      );
});

test.run();
