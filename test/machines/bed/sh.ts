import { execa } from 'execa';

/** For etcdctl: a Go program on more than one core wakes threads all the time. */
const ONE_CORE = { GOMAXPROCS: '1' };

/** Runs a program on the host and returns what it printed; throws with what it said when it fails. */
export async function sh(program: string, ...words: readonly string[]): Promise<string> {
  return shWith('', program, ...words);
}

/** The same, with a text to read. */
export async function shWith(input: string, program: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await execa(program, words, { input, env: { LC_ALL: 'C', ...ONE_CORE } });
  return stdout;
}

/** The same, where failing is fine. */
export async function trySh(program: string, ...words: readonly string[]): Promise<string | undefined> {
  return sh(program, ...words).catch(() => undefined);
}

/** Ends a process, or the group of that ID where it is negative (kill(2)). Returns whether it was still there. */
export function endProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `look` returns something, looking every `everyMs`; throws with `what` after `boundMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  boundMs = 180_000,
  everyMs = 300,
): Promise<T> {
  const endMs = Date.now() + boundMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as T;
    if (Date.now() > endMs) throw new Error(`waited ${boundMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}
