import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseOptions, usage } from './options.ts';

const NAMES = ['checks-http', 'checks-tls', 'heals', 'hour'];
const parse = (text: string) => parseOptions(text.split(' ').filter(Boolean), NAMES);

test('without words everything is measured, at full size', () => {
  const { parts, rounds, megabytes, keys, reportOnly } = parse('');
  assert.equal(parts, NAMES);
  assert.equal([rounds, megabytes, keys, reportOnly], [7, 2000, 2_000_000, false]);
});

test('parts are named, by what they begin with too, and run in the order of their table', () => {
  assert.equal(parse('--only hour,checks').parts, ['checks-http', 'checks-tls', 'hour']);
  assert.equal(parse('--only checks-tls --only heals').parts, ['checks-tls', 'heals']);
});

test('sizes are whole numbers within bounds', () => {
  const { rounds, keys, mostMembers } = parse('--rounds 1 --keys 2000 --most-members 5 --report');
  assert.equal([rounds, keys, mostMembers], [1, 2000, 5]);
  assert.ok(parse('--report').reportOnly);
});

test('what is not allowed is named, with what is', () => {
  assert.throws(() => parse('--only check'), /--only check is not allowed; allowed are checks-http, /);
  assert.throws(() => parse('--only'), /--only +is not allowed/);
  assert.throws(
    () => parse('--rounds 0'),
    /--rounds 0 is not allowed; allowed is a whole number from 1 to 100/,
  );
  assert.throws(() => parse('--keys many'), /--keys many is not allowed/);
  assert.throws(() => parse('--megabytes'), /--megabytes undefined is not allowed/);
  assert.throws(() => parse('heals'), /heals is not understood/);
  assert.match(usage(NAMES), /--rounds N \(7\)/);
});

test.run();
