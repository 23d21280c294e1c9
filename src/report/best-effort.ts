import type { Log } from './log.ts';

/**
 * For a write, or a removal, that helps and is never needed: where a disk is full or read-only, what matters goes on.
 * @param what it is, to say in the log that it is as it was
 * @returns undefined when it failed
 */
export const bestEffort = <T>(log: Log, what: string, written: Promise<T>): Promise<T | undefined> =>
  written.catch(({ message }: Error) => {
    log.warn({ event: 'not-written', error: message }, `${what} could not be changed: ${message}.`);
    return undefined;
  });
