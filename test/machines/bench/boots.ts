import { median } from '../../bench/figures.ts';
import type { Bed } from '../bed/bed.ts';
import { breakDisk } from '../bed/breakage.ts';
import { sleep, until } from '../bed/sh.ts';
import { pastHeals } from '../bed/world.ts';
import { say } from '../demo/lines.ts';
import { HealthWatch } from './health-watch.ts';
import { onBed } from './on-bed.ts';
import { atMost, part } from './part.ts';

/** `member add` is refused for 5 s after any member has started (etcdserver/server.go, HealthInterval). */
const SETTLE_MS = 6000;
/** Of each kind at most: each takes some ten seconds. */
const MOST = 5;

/** From power on, AppCenter never calling. */
interface Boots {
  /** Until the member serves, its data whole. */
  readonly wholeMs: number[];
  /** Until it is healed and serves on its originals, its data gone. */
  readonly healedMs: number[];
}

async function served(bed: Bed, watch: HealthWatch, lost: boolean): Promise<number> {
  const bad = bed.machine(2);
  await sleep(SETTLE_MS);
  await bad.sh('rm -rf /var/lib/etcd/heal-node/history'); // or the daily limit ends the bench
  await bad.powerOff();
  if (lost) await breakDisk(bad, 'data-gone');
  await watch.settled();
  const beganMs = Date.now();
  await bad.powerOn(false);
  if (!lost) {
    await until('it serves', async () => !Number.isNaN(watch.firstHealthyAfter(beganMs)), 60_000, 20);
    return watch.firstHealthyAfter(beganMs) - beganMs;
  }
  const ended = await until('it is healed', async () => pastHeals(bad)[0], 60_000, 20);
  if (ended.outcome !== 'healed' || ended.endedAt === undefined)
    throw new Error(`the heal at boot ended as ${ended.outcome}: ${ended.message}`);
  return Date.parse(ended.endedAt) - beganMs;
}

/** Boots member 2 with its data and without them, in turn. */
async function bootRounds(bed: Bed, watch: HealthWatch, rounds: number): Promise<Boots> {
  const bad = bed.machine(2);
  const atBoot = (value: 'on' | 'off') =>
    bad.sh(`sed -i s/^HEAL_AT_BOOT=.*/HEAL_AT_BOOT=${value}/ /opt/app/conf/heal-node.env`);
  await atBoot('on');
  const wholeMs: number[] = [];
  const healedMs: number[] = [];
  for (let round = 1; round <= Math.min(rounds, MOST); round++) {
    for (const lost of round % 2 ? [false, true] : [true, false]) {
      (lost ? healedMs : wholeMs).push(await served(bed, watch, lost));
      await until('it is healthy', async () => (await bad.hook('health-check')).code === 0);
    }
    say(
      `boot ${round}: serves after ${wholeMs.at(-1)} ms, without its data healed after ${healedMs.at(-1)} ms`,
    );
  }
  await atBoot('off');
  return { wholeMs, healedMs };
}

export const boots = part({
  name: 'boots',
  what: 'From power to healed',
  how: 'Member 2 loses its power and gets it back, AppCenter never calling, with its data whole and without them in turn. Beside the time until it is healed and serves on its originals stands the time until it serves where nothing was lost.',
  minutes: 4,
  goals: { longer: atMost(3000) },
  run: ({ rounds }, goals) =>
    onBed({}, async (bed) => {
      const watch = new HealthWatch(bed, bed.machine(2).endpoint);
      try {
        const { wholeMs, healedMs } = await bootRounds(bed, watch, rounds);
        const longer = [median(healedMs) - median(wholeMs)];
        return {
          rows: [
            {
              what: 'from power to healed, data gone; to serving, data whole',
              unit: 'ms',
              ours: healedMs,
              other: wholeMs,
            },
            { what: 'how much longer', isDetail: true, unit: 'ms', ours: longer, goal: goals.longer },
          ],
          notes: [],
        };
      } finally {
        await watch.stop();
      }
    }),
});
