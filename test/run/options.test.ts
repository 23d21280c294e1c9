import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Job } from './jobs.ts';
import { chosen, parseOptions } from './options.ts';

const job = (part: Job['part'], title: string): Job => ({
  part,
  title,
  argv: [],
  isTestFile: part === 'unit' || part === 'machines',
  limitMs: 1,
  expectedMs: 1,
});
const JOBS = [
  job('types', 'types'),
  job('lint', 'lint and format'),
  job('build', 'build'),
  job('unit', 'test/act/gate.test.ts'),
  job('machines', 'test/machines/scenarios/gate.test.ts'),
];
const chosenBy = (text: string): string[] =>
  chosen(JOBS, parseOptions(text.split(' ').filter(Boolean), JOBS)).map(({ title }) => title);

test('without a word all are chosen', () => assert.is(chosenBy('').length, JOBS.length));

test('tests that are chosen have the build before them, what needs none has not', () => {
  assert.equal(chosenBy('--only unit'), ['build', 'test/act/gate.test.ts']);
  assert.equal(chosenBy('--only scenarios/gate'), ['build', 'test/machines/scenarios/gate.test.ts']);
  assert.equal(chosenBy('--only types lint'), ['types', 'lint and format']);
  assert.equal(chosenBy('--only build'), ['build']);
  assert.equal(chosenBy('--only unit build'), ['build', 'test/act/gate.test.ts']);
});

test('a build that is left out stays so', () => {
  assert.equal(chosenBy('--only unit --without build'), ['test/act/gate.test.ts']);
  assert.equal(chosenBy('--only machines --without build scenarios'), []);
});

test('a word that means nothing is told', () =>
  assert.throws(() => chosenBy('--only nonsense'), /nonsense is no part, folder or file/));

test.run();
