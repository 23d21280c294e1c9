import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { neededBytes } from '../../../src/machine/etcd/bolt-meta.ts';

/** Both meta pages of a `snap/db` of 24,576 bytes that etcd 3.4.23 wrote on the test bed. */
const recorded = readFileSync(join(import.meta.dirname, 'recorded/etcd-3.4.db-head'));

test('a recorded database needs no more than it has', () => {
  const needed = neededBytes(recorded) ?? 0;
  assert.ok(needed > 8192 && needed <= 24_576, String(needed));
});

test('one damaged meta page leaves the other', () => {
  for (const at of [16, 4096 + 16]) {
    const damaged = Buffer.from(recorded);
    damaged.fill(0, at, at + 64);
    assert.ok((neededBytes(damaged) ?? 0) > 8192);
  }
});

test('without a valid meta page nothing is told', () => {
  assert.is(neededBytes(new Uint8Array(20_000)), undefined);
  assert.is(neededBytes(recorded.subarray(0, 40)), undefined);
});

test.run();
