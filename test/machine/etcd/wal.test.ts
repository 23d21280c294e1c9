import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readWalFile, updateCrc } from '../../../src/machine/etcd/wal.ts';
import { thisMachine } from '../../../src/machine/this-machine.ts';

/** The beginning of a WAL that etcd 3.4.23 wrote on the test bed, with a few bytes of its preallocated zeros. */
const recorded = readFileSync(join(import.meta.dirname, 'recorded/etcd-3.4.wal'));

test('CRC-32C has its check value', () => {
  assert.is(updateCrc(0, Buffer.from('123456789')), 0xe3069283);
});

test('a recorded WAL tells whose data it holds and how far they go', () => {
  const facts = readWalFile(recorded, true);
  assert.is(facts?.memberId, 'fe6bc03fdf86b20f');
  assert.is(facts?.clusterId, '8a43c497ec2fe5db');
  assert.is(facts?.damage, undefined);
  assert.ok((facts?.commit ?? 0n) > 0n && (facts?.commit ?? 0n) <= (facts?.lastIndex ?? 0n));
});

test('one that holds no entry, vote or snapshot is told to be blank', () => {
  assert.is(readWalFile(recorded, true)?.blank, undefined);
  const blank = Buffer.from(recorded);
  // What wal.Create writes: CRC, metadata, and a snapshot at index 0.
  blank.fill(0, (recordStarts(recorded)[3] ?? 0) - 8);
  const facts = readWalFile(blank, true);
  assert.is(facts?.memberId, 'fe6bc03fdf86b20f');
  assert.is(facts?.blank, true);
});

test('a changed byte ends the reading there, and what stands before it is true', () => {
  const changed = Buffer.from(recorded);
  changed.writeUInt8(changed.readUInt8(700) ^ 0xff, 700);
  const facts = readWalFile(changed, true);
  assert.is(facts?.memberId, 'fe6bc03fdf86b20f');
  assert.match(facts?.damage ?? '', /at byte \d+/);
});

/** Where each record's first byte stands; the recorded file has no padding bits beyond three. */
function recordStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; bytes.readBigInt64LE(at) !== 0n; ) {
    const frame = bytes.readBigUInt64LE(at);
    starts.push(at + 8);
    at += 8 + Number(frame & ((1n << 56n) - 1n)) + (frame >> 63n ? Number((frame >> 56n) & 7n) : 0);
  }
  return starts;
}

for (const [what, byte, offset] of [
  ['a tag that is none', 0, 0],
  ['a type that is none', 9, 1],
] as const) {
  test(`${what} in a record is damage, although its data are whole`, () => {
    const changed = Buffer.from(recorded);
    const starts = recordStarts(changed);
    changed.writeUInt8(byte, (starts[Math.floor(starts.length / 2)] ?? 0) + offset);
    assert.match(readWalFile(changed, true)?.damage ?? '', /illegal|of type 9/);
  });
}

test('a beginning that is too short asks for more, and a whole file that is cut short says so', () => {
  const cut = recorded.subarray(0, 300);
  assert.is(readWalFile(cut, false), undefined);
  assert.match(readWalFile(cut, true)?.damage ?? '', /cut short/);
});

test('nothing readable is an error that says so', () => {
  assert.throws(() => readWalFile(new Uint8Array(4096), true), /no metadata: the file is empty/);
});

test('random and mutated bytes never crash it otherwise, and never change whose data they are', () => {
  fc.assert(
    fc.property(fc.nat(recorded.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 }), (at, noise) => {
      const bytes = Buffer.from(recorded);
      bytes.set(noise.subarray(0, bytes.length - at), at);
      try {
        const facts = readWalFile(bytes, true);
        return (
          facts?.memberId === 'fe6bc03fdf86b20f' &&
          facts.commit <= (readWalFile(recorded, true)?.commit ?? 0n)
        );
      } catch (error) {
        return /^no metadata/.test((error as Error).message);
      }
    }),
    { numRuns: 3000 },
  );
});

test('a gigabyte of WAL is read no further than it is written, and the newest file alone', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'heal-node-wal-'));
  try {
    for (const name of ['0000000000000000-0000000000000000.wal', '0000000000000001-00000000000000ff.wal']) {
      writeFileSync(join(dir, name), name.startsWith('0000000000000000-') ? 'older' : recorded);
      truncateSync(join(dir, name), 1 << 30);
    }
    assert.is((await thisMachine.wal(dir))?.memberId, 'fe6bc03fdf86b20f');
    // Written to the end it is more than any WAL file may have: an error that says so, not a gigabyte in memory.
    writeFileSync(join(dir, '0000000000000002-0000000000000fff.wal'), Buffer.alloc(90 << 20, 0xff));
    await thisMachine.wal(dir).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /no metadata|bytes, where \d+ are allowed/),
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test.run();
