import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Examination } from '../../src/machine/etcd/examine.ts';
import { examine } from '../../src/machine/etcd/examine.ts';
import { DAMAGES, type Subject } from './damages.ts';
import { readImage, writeImage } from './image.ts';
import { Random } from './random.ts';
import { type Outcome, RealEtcd } from './real-etcd.ts';
import { record } from './recordings.ts';

export interface Case {
  readonly number: number;
  readonly recording: string;
  readonly damage: string;
  readonly outcome: Outcome;
  readonly examination: Examination;
  /** The lines of its log with which etcd ended. */
  readonly lastWords: readonly string[];
}

export interface Sweep {
  readonly binary: string;
  readonly cases: number;
  readonly seed: number;
  /** How many etcd run at a time. */
  readonly lanes: number;
  /** Only these cases, by number. */
  readonly only?: readonly number[];
  /** Of these recordings; of all unless given. */
  readonly recordings?: readonly string[];
  /** Only damages whose name matches. */
  readonly damages?: RegExp;
  /** Each damaged data dir is kept below this directory, by the case's number, as it was before etcd started. */
  readonly keep?: string;
  readonly onCase?: (done: Case) => void;
}

const LIMITS = { bytes: 2 ** 34, ms: 60_000, depth: 'all' } as const;

/** What etcd said last: fatal lines, panics, and errors with which it ended. */
function lastWordsOf(log: string): string[] {
  const lines = log.split('\n').filter(Boolean);
  const fatal = lines.filter((line) =>
    / [CF] \| |"level":"(fatal|panic)"|^panic: |^fatal error: |^unexpected fault/.test(line),
  );
  return fatal.length > 0 ? fatal.slice(0, 4) : lines.slice(-2);
}

/** Damages data that a real etcd wrote, examines each, starts a real etcd on it, and compares. */
export async function sweep({
  binary,
  cases,
  seed,
  lanes,
  only,
  recordings,
  damages = /./,
  keep,
  onCase,
}: Sweep): Promise<Case[]> {
  const top = mkdtempSync(join(tmpdir(), 'heal-node-sweep-'));
  // Also when a runner ends this process.
  process.once('exit', () => rmSync(top, { recursive: true, force: true }));
  try {
    const recorded = await record(binary, join(top, 'recordings'), recordings);
    const images = recorded.map(({ name, now, early, other }) => ({
      name,
      image: readImage(now),
      early: readImage(early),
      other: other === undefined ? undefined : readImage(other),
    }));
    rmSync(join(top, 'recordings'), { recursive: true });
    // Copying its hundred megabytes takes longer than everything else: seldom, but always among the first.
    const seldom = (name: string) => /files/.test(name);
    const weighted = images.flatMap((one) => (seldom(one.name) ? [one] : [one, one, one]));
    const names = Object.keys(DAMAGES).filter((name) => damages.test(name));

    /** The case of a number: which recording, damaged how. It depends on seed and number alone. */
    const pick = (number: number) => {
      const random = new Random(seed * 1_000_003 + number);
      for (;;) {
        const base = random.pick(weighted);
        const damage = names[random.int(names.length)] as string;
        const others = images.filter(({ name }) => name !== base.name && !seldom(name));
        const subject: Subject = { ...base, other: base.other ?? random.pick(others).image };
        const image = DAMAGES[damage]?.(random, subject);
        if (image !== undefined) return { recording: base.name, damage, image };
      }
    };

    const done: Case[] = [];
    const numbers = only ?? Array.from({ length: cases }, (_, n) => n);
    let next = 0;
    const lane = async (n: number): Promise<void> => {
      const dir = join(top, `lane-${n}`);
      for (let at = next++; at < numbers.length; at = next++) {
        const number = numbers[at] as number;
        const { recording, damage, image } = pick(number);
        rmSync(dir, { recursive: true, force: true });
        mkdirSync(dir);
        writeImage(image, join(dir, 'm'));
        if (keep !== undefined) writeImage(image, join(keep, String(number)));
        const examination = examine(join(dir, 'm'), join(dir, 'm/member/wal'), LIMITS);
        const etcd = RealEtcd.start(binary, dir);
        const outcome = await etcd.outcome(damage === 'nothing' ? 24 : 1);
        await etcd.stop('SIGKILL');
        const lastWords = outcome === 'refuses' ? lastWordsOf(etcd.log()) : [];
        const result = { number, recording, damage, outcome, examination, lastWords };
        done.push(result);
        onCase?.(result);
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n)));
    return done.sort((a, b) => a.number - b.number);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
