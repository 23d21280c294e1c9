import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DAMAGES } from './damages.ts';
import { type Image, readImage } from './image.ts';
import { Random } from './random.ts';

const recorded = (name: string): Image =>
  readImage(join(import.meta.dirname, '../machine/etcd/recorded', name));
const subject = { image: recorded('snapshots'), early: recorded('one-write'), other: recorded('founding') };

const text = (image: Image): string =>
  [...image].map(([path, { bytes, size }]) => `${path} ${size} ${Bun.hash(bytes)}`).join('\n');

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`${name}: the same seed makes the same, the original stays as it is`, () => {
    const before = text(subject.image);
    const made = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const [one, again] = [damage(new Random(seed), subject), damage(new Random(seed), subject)];
      assert.is(one && text(one), again && text(again));
      if (one !== undefined) made.add(text(one));
    }
    assert.is(text(subject.image), before);
    // A log of one file has no earlier ones, and none to swap.
    const needsMore = /earlier file|two files swapped/.test(name);
    assert.is(made.size > 0, !needsMore);
    assert.ok(name === 'nothing' || !made.has(before) || made.size > 1);
  });
}

test.run();
