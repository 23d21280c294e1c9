import { type Found, median, type Panel } from '../../bench/figures.ts';
import type { Bed, BedOptions } from '../bed/bed.ts';
import { runBareRunbook } from '../bed/runbook.ts';
import { say } from '../demo/lines.ts';
import { diagnoses } from './diagnoses.ts';
import { fill, forMuchData, outgrowLog, smallKeys } from './fill.ts';
import { breakMember, healByAction, serves } from './heals.ts';
import { onBed } from './on-bed.ts';
import { part } from './part.ts';
import { lostPublications, publicationsNote } from './publications.ts';

const MOST_ROUNDS = 3;
const DIAGNOSES = 5;
const MEMBERS = [3, 5, 7, 9];
const LEAST_KEYS = 10_000;
const DELAYS_MS = [0, 10, 25, 50, 100];

/** What was measured where there was so much of it. */
interface Point {
  readonly x: number;
  readonly diagnoseMs: readonly number[];
  readonly healMs: readonly number[];
  readonly runbookMs: readonly number[];
  readonly lost: Readonly<Record<'ours' | 'bare', readonly number[]>>;
}

/** Breaks member 2, diagnoses it and heals it, and does so again for the bare runbook, so many times. */
async function measure(bed: Bed, x: number, rounds: number): Promise<Point> {
  const diagnoseMs: number[] = [];
  const healMs: number[] = [];
  const runbookMs: number[] = [];
  const lost: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
    await breakMember(bed);
    diagnoseMs.push(...(await diagnoses(bed.machine(2), DIAGNOSES)));
    const { beganMs, wholeMs } = await healByAction(bed);
    healMs.push(wholeMs);
    lost.ours.push(await lostPublications(bed, beganMs));
    await serves(bed);
    await breakMember(bed);
    const runbookBeganMs = Date.now();
    runbookMs.push((await runBareRunbook(bed, bed.machine(2))).wholeMs);
    lost.bare.push(await lostPublications(bed, runbookBeganMs));
    await serves(bed);
  }
  say(
    `at ${x}: diagnose ${median(diagnoseMs).toFixed(0)} ms, heal ${median(healMs)} ms, runbook ${median(runbookMs)} ms`,
  );
  return { x, diagnoseMs, healMs, runbookMs, lost };
}

const LINES = [
  ['heal', ({ healMs }: Point) => healMs],
  ['bare runbook', ({ runbookMs }: Point) => runbookMs],
  ['diagnose', ({ diagnoseMs }: Point) => diagnoseMs],
] as const;

/** What there was most of as rows, and all points as sentences and as a panel of the plot. */
function found(points: readonly Point[], unit: string, panel: Omit<Panel, 'series'>): Found {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there is no point to measure');
  const named = (x: number): string => `${x.toLocaleString('en')} ${unit}`;
  return {
    rows: [
      {
        what: `heal with ${named(last.x)}, against the bare runbook`,
        unit: 'ms',
        ours: last.healMs,
        other: last.runbookMs,
      },
      {
        what: `diagnose with ${named(last.x)}, against ${named(first.x)}`,
        unit: 'ms',
        ours: last.diagnoseMs,
        other: first.diagnoseMs,
      },
    ],
    notes: [
      ...LINES.map(([name, of]) => {
        const all = points.map((point) => `${named(point.x)} ${median(of(point)).toFixed(0)} ms`);
        return `${name}: ${all.join(', ')}.`;
      }),
      publicationsNote(
        points.flatMap(({ lost }) => lost.ours),
        points.flatMap(({ lost }) => lost.bare),
      ),
    ],
    panels: [
      {
        ...panel,
        series: LINES.map(([name, of]) => ({
          name,
          points: points.map((point) => [point.x, median(of(point))] as const),
        })),
      },
    ],
  };
}

/** Each on a bed of its own. */
async function eachOnBed(
  xs: readonly number[],
  rounds: number,
  options: (x: number) => BedOptions,
): Promise<Point[]> {
  const points: Point[] = [];
  for (const x of xs) points.push(await onBed(options(x), (bed) => measure(bed, x, rounds)));
  return points;
}

const HOW = `Member 2 loses its data, is diagnosed ${DIAGNOSES} times and healed by the health action; loses them again and is healed by the bare runbook; up to ${MOST_ROUNDS} times at each point. The rows are of the last point, the plot has all`;

export const growthMembers = part({
  name: 'growth-members',
  what: 'Growth with the number of members',
  how: `${HOW}. The others are asked at the same time, so their number alone costs a diagnosis little, and a heal what each of them takes to list the new member; but all share the cores of one host, so that part of what grows is their own work.`,
  minutes: 8,
  goals: {},
  run: async ({ rounds, mostMembers }) => {
    const xs = MEMBERS.filter((members) => members <= mostMembers);
    const points = await eachOnBed(xs, rounds, (members) => ({ members }));
    return found(points, 'members', { title: 'By members', x: 'members', isLog: false });
  },
});

export const growthKeys = part({
  name: 'growth-keys',
  what: 'Growth with the number of keys',
  how: `${HOW}. Three members; values of 32 bytes, each key written twice and never compacted. Where the data are gone there is nothing to read, so a diagnosis should not grow. A heal, by whomever, waits for the data to arrive, and for etcd to read all of them at each of its two starts.`,
  minutes: 8,
  goals: {},
  run: ({ rounds, mostKeys }) =>
    onBed(forMuchData, async (bed) => {
      await outgrowLog(bed);
      const points: Point[] = [];
      for (let keys = Math.min(LEAST_KEYS, mostKeys), had = 0; keys <= mostKeys; keys *= 10) {
        await fill(bed, smallKeys(had, keys - had));
        had = keys;
        points.push(await measure(bed, keys, rounds));
      }
      return found(points, 'keys', { title: 'By keys', x: 'keys', isLog: true });
    }),
});

export const growthLatency = part({
  name: 'growth-latency',
  what: 'Growth with the distance between members',
  how: `${HOW}. Three members, each frame between two machines held back by a switch in user space, as not every kernel has netem; the distance is that of a frame, one way. A diagnosis is a few questions, most of them at the same time; a heal is a row of calls that wait for each other, and each change of the list waits for a quorum; etcd opens its connections anew at each of its two starts.`,
  minutes: 8,
  goals: {},
  run: async ({ rounds }) => {
    const points = await eachOnBed(DELAYS_MS, rounds, (delayMs) =>
      delayMs === 0 ? {} : { distance: { delayMs, lossPercent: 0 } },
    );
    return found(points, 'ms of distance', { title: 'By distance', x: 'ms one way', isLog: false });
  },
});
