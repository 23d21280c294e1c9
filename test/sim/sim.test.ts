import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plantedBugs } from './planted.ts';

const SCHEDULES = 10_000;
const bun = process.execPath;
const here = (file: string): string => join(import.meta.dirname, file);

test(`${SCHEDULES} schedules: what must hold holds after every event, and every stale node heals`, async () => {
  const workers = Math.min(4, availableParallelism());
  const share = Math.ceil(SCHEDULES / workers);
  const ran = await Promise.all(
    Array.from({ length: workers }, (_, i) =>
      execa(bun, [here('main.ts'), '--schedules', `${share}`, '--from', `${1 + i * share}`], {
        reject: false,
      }),
    ),
  );
  for (const { stdout } of ran) console.log(stdout);
  assert.ok(ran.every(({ exitCode }) => exitCode === 0));
});

test(`each of ${plantedBugs.length} planted bugs is found within ${SCHEDULES} schedules`, async () => {
  const waiting = plantedBugs.map((_, i) => i);
  const worker = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      const { stdout } = await execa(bun, [here('planted.ts'), `${i}`, `${SCHEDULES}`], { reject: false });
      const { what, found, after } = JSON.parse(stdout);
      console.log(
        `planted: ${what}: ${found ? `found after ${after} schedules (${found.slice(0, 100)})` : 'NOT FOUND'}`,
      );
      assert.ok(found, `${what} is not found`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
});

test('a seed tells the same story twice', async () => {
  const tell = async () => (await execa(bun, [here('main.ts'), '--seed', '77'], { reject: false })).stdout;
  // The IDs of heals are not the seed's.
  const plain = (story: string) => story.replace(/T\d{6}Z-[0-9a-f]{6}/g, '');
  assert.is(plain(await tell()), plain(await tell()));
});

test.run();
