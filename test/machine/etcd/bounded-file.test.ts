import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BoundedFile } from '../../../src/machine/etcd/bounded-file.ts';
import type { HeldFile } from '../../../src/machine/os/held-dir.ts';

test('a jump reads a few pages or what is asked for, and whoever reads on gets more at once', () => {
  const reads: (readonly [at: number, bytes: number])[] = [];
  const read = (into: Uint8Array, at: number): number => {
    reads.push([at, into.length]);
    return into.length;
  };
  let spent = 0;
  const file = new BoundedFile({ size: 1 << 30, read } as unknown as HeldFile, (bytes) => {
    spent += bytes;
  });
  file.bytes(500_000, 16);
  file.bytes(508_000, 4096);
  file.bytes(40_000, 4096);
  file.bytes(900_000, 20_000);
  assert.equal(reads, [
    [500_000, 8192],
    [508_000, 128 * 1024],
    [40_000, 8192],
    [900_000, 20_000],
  ]);
  assert.is(spent, 2 * 8192 + 128 * 1024 + 20_000);
});

test.run();
