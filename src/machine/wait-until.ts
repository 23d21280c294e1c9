import type { Machine } from './machine.ts';

/**
 * Asks `probe` now, and every `everyMs` from then on, until it has an answer or `boundMs` are over. Durations follow
 * the monotonic clock, which no one sets.
 * @param probe undefined means: not yet
 * @returns the answer; undefined when there was none in time. It is asked once more at the end of the time.
 */
export async function waitUntil<T>(
  machine: Pick<Machine, 'monotonicMs' | 'sleep'>,
  boundMs: number,
  everyMs: number,
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const beganMs = machine.monotonicMs();
  for (;;) {
    const elapsedMs = machine.monotonicMs() - beganMs;
    const answer = await probe();
    if (answer !== undefined || elapsedMs >= boundMs) return answer;
    await machine.sleep(everyMs);
  }
}
