import { buf as crc32c } from 'crc-32/crc32c.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BYTES, decode, fieldsOf, VARINT, varint64 } from '../../../src/machine/etcd/protobuf.ts';

const SCHEMA = { 1: VARINT, 2: BYTES } as const;
const decoded = (...bytes: number[]) => decode(Uint8Array.from(bytes), SCHEMA);

test('CRC-32C has its check value, in one piece and in several', () => {
  const data = Buffer.from('123456789');
  assert.is(crc32c(data) >>> 0, 0xe3069283);
  for (let cut = 0; cut <= 9; cut++)
    assert.is(crc32c(data.subarray(cut), crc32c(data.subarray(0, cut))) >>> 0, 0xe3069283);
});

test('fields are handed over, numbers and bytes', () => {
  const bytes = Uint8Array.from([0x08, 0x96, 0x01, 0x12, 0x02, 0x61, 0x62, 0x18, 0x05]);
  const fields = fieldsOf(bytes, SCHEMA);
  assert.is(fields?.numbers[1], 150);
  assert.equal(fields?.bytes(2), Uint8Array.from([0x61, 0x62]));
  assert.equal(fields?.bytes(4), Uint8Array.from([]));
  assert.is(fields?.numbers[3], 5);
  assert.is(fieldsOf(bytes.subarray(0, 2), SCHEMA), undefined);
});

test('all 64 bits of a varint can be had', () => {
  const bytes = Uint8Array.from([...Array(9).fill(0xff), 0x01]);
  assert.is(varint64(bytes), 2n ** 64n - 1n);
});

test('what etcd takes for not written to its end is told from what it refuses', () => {
  for (const [what, bytes, expected] of [
    ['nothing', [], 'whole'],
    ['a tag without a value', [0x08], 'short'],
    ['a varint without an end', [0x08, 0xff], 'short'],
    ['a varint of eleven bytes', [0x08, ...Array(10).fill(0xff), 0x01], 'ill-formed'],
    ['bytes beyond the end', [0x12, 0x05, 0x61], 'short'],
    ['a negative length', [0x12, ...Array(9).fill(0xff), 0x01], 'ill-formed'],
    ['another wire type', [0x0a, 0x00], 'ill-formed'],
    ['field 0', [0x00, 0x00], 'ill-formed'],
    ['a wire type that is none', [0x1e, 0x00], 'ill-formed'],
    ['the end of a group that was not begun', [0x1c], 'ill-formed'],
    ['an unknown field of eight bytes', [0x19, 1, 2, 3, 4, 5, 6, 7, 8], 'whole'],
    ['one that is cut', [0x19, 1, 2], 'short'],
    ['an unknown group', [0x1b, 0x08, 0x01, 0x1b, 0x1c, 0x1c], 'whole'],
    ['a group without an end', [0x1b, 0x08, 0x01], 'short'],
  ] as const) {
    assert.is(decoded(...(bytes as readonly number[])), expected, what);
  }
});

test('groups in groups, as deep as a record is long, are followed without a stack', () => {
  const bytes = new Uint8Array(10 << 20).fill(0x1b);
  assert.is(decode(bytes, SCHEMA), 'short');
});

test.run();
