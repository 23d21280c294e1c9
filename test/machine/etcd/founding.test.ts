import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isOfFounding } from '../../../src/machine/etcd/founding.ts';

const field = (number: number, bytes: Buffer): Buffer => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  return Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]);
};
const request = (method: string, path: string): Buffer =>
  Buffer.concat([field(2, Buffer.from(method)), field(3, Buffer.from(path))]);
const [NORMAL, CONF_CHANGE] = [0, 1];

for (const [what, type, term, data, expected] of [
  ['a new leader’s empty entry', NORMAL, 7, Buffer.alloc(0), true],
  ['a member of the first configuration', CONF_CHANGE, 1, Buffer.from([0x08, 0, 0x10, 0, 0x18, 9]), true],
  ['a member that is added later', CONF_CHANGE, 2, Buffer.from([0x08, 0, 0x10, 0, 0x18, 9]), false],
  ['a member that is removed', CONF_CHANGE, 1, Buffer.from([0x08, 0, 0x10, 1, 0x18, 9]), false],
  ['a change of the second kind', 2, 1, Buffer.alloc(0), false],
  [
    'what a member publishes of itself',
    NORMAL,
    2,
    request('PUT', '/0/members/9f7decfe85ab95e9/attributes'),
    true,
  ],
  ['the cluster’s version', NORMAL, 2, request('PUT', '/0/version'), true],
  ['a health check', NORMAL, 2, request('QGET', ''), true],
  ['a key of the old store', NORMAL, 2, request('PUT', '/1/0/members/x/attributes'), false],
  ['a key of the old store, made to look alike', NORMAL, 2, request('PUT', '/1/0/version'), false],
  ['a deletion in the old store', NORMAL, 2, request('DELETE', '/0/version'), false],
  ['a put', NORMAL, 2, field(4, Buffer.from([0x0a, 1, 0x61])), false],
  [
    'a put beside a question',
    NORMAL,
    2,
    Buffer.concat([field(10, Buffer.alloc(0)), field(4, Buffer.alloc(0))]),
    false,
  ],
  ['a lease', NORMAL, 2, field(8, Buffer.from([0x08, 1])), false],
  ['the list of alarms', NORMAL, 2, field(10, Buffer.alloc(0)), true],
  ['an alarm', NORMAL, 2, field(10, Buffer.from([0x08, 1])), false],
  ['a compaction of nothing', NORMAL, 2, field(7, Buffer.from([0x08, 1])), true],
  ['a compaction', NORMAL, 2, field(7, Buffer.from([0x08, 2])), false],
  ['the members’ attributes as 3.5 writes them', NORMAL, 2, field(1301, Buffer.from([0x08, 1])), true],
  ['a user', NORMAL, 2, field(1100, Buffer.from([0x0a, 1, 0x61])), false],
  ['what cannot be decoded', NORMAL, 2, Buffer.from([0xff]), false],
] as const) {
  test(`${what} is ${expected ? '' : 'not '}of a founding`, () => {
    assert.is(isOfFounding(type, term, data), expected);
  });
}

test.run();
