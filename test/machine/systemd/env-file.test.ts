import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEnvFile, setEnvValues } from '../../../src/machine/systemd/env-file.ts';
import { readings } from './env-readings.ts';

for (const [text, values] of readings) {
  test(`reads ${JSON.stringify(text)}`, () => assert.equal(parseEnvFile(text), values));
}

test('sets values by line and leaves every other byte alone', () => {
  const text =
    '# head\nETCD_NAME=etcd2\n\n  ETCD_INITIAL_CLUSTER_STATE = "new" \n; tail without line end\nX=1';
  assert.is(
    setEnvValues(text, { ETCD_INITIAL_CLUSTER_STATE: 'existing', NEW: 'a b' }),
    '# head\nETCD_NAME=etcd2\n\n  ETCD_INITIAL_CLUSTER_STATE=existing\n; tail without line end\nX=1\nNEW="a b"\n',
  );
});

test('a quote left open at the end is replaced with the backslash behind it', () => {
  assert.is(setEnvValues('KEY="a\\', { KEY: 'b', NEW: '1' }), 'KEY=b\nNEW=1\n');
});

test('a control character is refused', () => {
  assert.throws(() => setEnvValues('', { A: 'x\ny' }), /A would hold a control character/);
});

test('what is set is what is read, whatever stood there', () => {
  const value = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.string(), value, (text, wanted) => {
      const quoteOpen = parseEnvFile(`${text}\nPROBE=1\n`).PROBE !== '1'; // an unclosed quote swallows what follows
      return quoteOpen || parseEnvFile(setEnvValues(text, { KEY: wanted })).KEY === wanted;
    }),
    { numRuns: 2000 },
  );
});

test('random text is read without a crash', () => {
  fc.assert(fc.property(fc.string({ maxLength: 2000 }), (text) => typeof parseEnvFile(text) === 'object'));
});

test.run();
