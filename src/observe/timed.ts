import type { Machine } from '../machine/machine.ts';
import type { Fact, Source } from './observation.ts';

/** A source that takes longer counts as one that does not answer; all are asked side by side. */
export const DEADLINE_MS = 2300;

/** Takes the time of every source that is asked, and bounds it. */
export class Stopwatch {
  /** When a source was asked, and how long it took. */
  readonly stamps: Partial<Record<Source, { readonly atMs: number; readonly tookMs: number }>> = {};

  constructor(
    private readonly machine: Machine,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  /** Asks within the deadline; a source that fails or hangs is evidence too: why becomes the fact. */
  async fact<T>(source: Source, look: () => Promise<T>): Promise<Fact<T>> {
    const [atMs, beganMs] = [this.machine.now(), this.machine.monotonicMs()];
    const ended = new AbortController();
    const late = this.machine
      .sleep(this.deadlineMs, ended.signal)
      .then((): Fact<T> => ({ ok: false, why: `no answer within ${this.deadlineMs} ms` }));
    late.catch(() => undefined);
    const asked = look().then(
      (value): Fact<T> => ({ ok: true, value }),
      (error: Error): Fact<T> => ({ ok: false, why: error.message }),
    );
    const fact = await Promise.race([asked, late]);
    ended.abort('answered');
    this.stamps[source] = { atMs, tookMs: Math.round(this.machine.monotonicMs() - beganMs) };
    return fact;
  }
}
