import type { Machine } from '../node/machine.ts';
import type { Fact, Source, Stamp } from './observation.ts';

/** A source that takes longer counts as one that does not answer; all are asked side by side. */
export const DEADLINE_MS = 2500;

/** Takes the time of every source that it asks. */
export class Stopwatch {
  readonly stamps: Partial<Record<Source, Stamp>> = {};

  constructor(private readonly machine: Machine) {}

  /** A source that fails or hangs is evidence too: why becomes the fact. */
  async fact<T>(source: Source, look: () => Promise<T>): Promise<Fact<T>> {
    try {
      return { ok: true, value: await this.time(source, look) };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  /** @throws what `look` throws, and when it takes longer than the deadline. */
  async time<T>(source: Source, look: () => Promise<T>): Promise<T> {
    const atMs = this.machine.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${source}: no answer within ${DEADLINE_MS} ms`)),
        DEADLINE_MS,
      );
    });
    try {
      return await Promise.race([look(), late]);
    } finally {
      clearTimeout(timer);
      this.stamps[source] = { atMs, tookMs: this.machine.now() - atMs };
    }
  }
}
