import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pace } from '../run/pace.ts';

/** What lanes 0 to 4 have begun once the machine has been looked at for a while, `busyAt` so many lanes or more. */
async function begun(busyAt: number): Promise<{ lanes: number; told: readonly string[] }> {
  const told: string[] = [];
  let lanes = 0;
  const pace = new Pace(
    (sentence) => told.push(sentence),
    async () => (lanes >= busyAt ? 300 : 20),
    1,
  );
  const watching = pace.watch();
  let over = false;
  const all = [0, 1, 2, 3, 4].map(async (lane) => {
    await pace.admits(lane, () => over);
    if (!over) lanes++;
  });
  // The last is let go on, or one has been told that it is not.
  while (lanes < 5 && told.length === 0) await new Promise((done) => setTimeout(done, 1));
  over = true;
  await Promise.all(all);
  pace.end();
  await watching;
  return { lanes, told };
}

test('all lanes work on a machine that starts processes fast', async () => {
  assert.equal(await begun(9), { lanes: 5, told: [] });
});

test('a machine that is too busy is given no more scenarios, and the reason is told', async () => {
  const { lanes, told } = await begun(3);
  assert.is(lanes, 3);
  assert.match(told[0] ?? '', /^Two processes take 300 ms: fewer scenarios/);
});

test('two lanes work however busy the machine is', async () => {
  assert.is((await begun(0)).lanes, 2);
});

test.run();
