import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { breakages } from './breakages.ts';
import { type Counts, tableKeys } from './counters.ts';
import { faults } from './faults.ts';
import { planted, plantedBugs } from './planted.ts';
import { events, invariants } from './sim.ts';
import { stories } from './stories.ts';

const SCHEDULES = 10_000;
const bun = process.execPath;
const here = (file: string): string => join(import.meta.dirname, file);

/** Everything that so many schedules must reach: what they do not reach they do not show. */
const required = [
  ...tableKeys(),
  ...stories.map(({ what }) => `story: ${what}`),
  ...faults.map(({ what }) => `fault: ${what}`),
  ...Object.keys(breakages).map((what) => `breakage: ${what}`),
  ...invariants.map((what) => `invariant: ${what}`),
  ...events.map((what) => `event: ${what}`),
];

test('each planted bug has its place in the product still', () => {
  for (const bug of plantedBugs) planted(bug);
});

test(`${SCHEDULES} schedules: what must hold holds, every stale node heals, and everything is reached`, async () => {
  const workers = Math.min(4, availableParallelism());
  const share = Math.ceil(SCHEDULES / workers);
  const ran = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const words = ['--schedules', `${share}`, '--from', `${1 + i * share}`, '--json'];
      return execa(bun, [here('main.ts'), ...words], { reject: false });
    }),
  );
  const told = ran.map(
    ({ stdout }) => JSON.parse(stdout) as { summary: string; violations: string[]; counts: Counts },
  );
  const counts: Counts = {};
  for (const { summary, violations, counts: some } of told) {
    console.log([summary, ...violations].join('\n'));
    for (const [key, times] of Object.entries(some)) counts[key] = (counts[key] ?? 0) + times;
  }
  for (const key of required) console.log(`${String(counts[key] ?? 0).padStart(9)}  ${key}`);
  assert.equal(
    told.flatMap(({ violations }) => violations),
    [],
  );
  assert.equal(
    required.filter((key) => !counts[key]),
    [],
    'everything is reached',
  );
});

/** How a planted bug shows: after how many schedules, or in which test. */
async function showsIn(index: number): Promise<string | undefined> {
  const { test: file } = plantedBugs[index] ?? {};
  if (file !== undefined) {
    const words = ['--preload', here('plant.ts'), join(here('../..'), file)];
    const running = execa(bun, words, { reject: false, env: { PLANTED: `${index}` } });
    let fails = false;
    // The first test that fails has found it: the others are not waited for.
    running.stdout.on('data', (text: Buffer) => {
      if (!text.includes('✘')) return;
      fails = true;
      running.kill();
    });
    await running;
    return fails ? `by ${file}` : undefined;
  }
  const words = [here('planted.ts'), `${index}`, `${SCHEDULES}`];
  const { stdout } = await execa(bun, words, { reject: false });
  const { found, after } = JSON.parse(stdout);
  return found ? `after ${after} schedules (${found.slice(0, 100)})` : undefined;
}

test(`each of ${plantedBugs.length} planted bugs is found`, async () => {
  const waiting = plantedBugs.map((_, i) => i);
  const missed: string[] = [];
  const worker = async (): Promise<void> => {
    for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) {
      const found = await showsIn(i);
      const what = `${plantedBugs[i]?.what}`;
      if (found === undefined) missed.push(what);
      console.log(`planted: ${what}: ${found === undefined ? 'NOT FOUND' : `found ${found}`}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  assert.equal(missed, []);
});

test('a seed tells the same story twice', async () => {
  const tell = async () => (await execa(bun, [here('main.ts'), '--seed', '77'], { reject: false })).stdout;
  // The IDs of heals are not the seed's.
  const plain = (story: string) => story.replace(/T\d{6}Z-[0-9a-f]{6}/g, '');
  const first = await tell();
  assert.match(first, /^seed 77, \d nodes: \d+ events/m);
  assert.is(plain(first), plain(await tell()));
});

test.run();
