import { signatures } from './signatures.ts';
import type { Situation } from './situation.ts';

/** The line of a signature in the log of the run that counts, if it is there. It corroborates and proves nothing. */
export const lineOf = (situation: Situation, id: string): string | undefined =>
  situation.matched.find(({ signature }) => signature.id === id)?.line;

/**
 * The words with which a run that crashed ended, where they are those of a signature: Go's own report of a panic, which
 * it prints as the last thing, unformatted and at the start of a line (runtime/panic.go, printpanics). What a client
 * sends can stand only within a line that etcd's log has begun with its time, or within JSON.
 */
export function lastWord({ crashed, observed: { log } }: Situation, id: string): string | undefined {
  const signature = signatures.find((row) => row.id === id);
  if (!crashed || !log.ok || signature === undefined) return undefined;
  const at = log.value.findLastIndex((line) => line.startsWith('panic: '));
  const line = log.value[at];
  const trace = log.value.slice(at + 1).some((text) => /^goroutine \d+ \[/.test(text));
  return line !== undefined && trace && signature.pattern.test(line) ? line.trim().slice(0, 500) : undefined;
}
