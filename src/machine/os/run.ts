import { execa } from 'execa';

export interface RunResult {
  /** The exit code; undefined when it was ended by a signal, by the time limit, or never started. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** It printed more than is kept, and was ended for it. */
  readonly tooMuch: boolean;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Added to a bare environment: nothing of the caller's is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to it on its standard input. */
  readonly input?: string | undefined;
  /** Kept of each stream, at most. */
  readonly maxChars?: number;
}

/** AppCenter's environment may lack `/usr/sbin`; and a caller's PATH is not ours to trust. */
const BARE = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };

/**
 * Runs a program without a shell and waits for it. Never throws: what went wrong is in the result.
 * On the time limit it is asked to end, and killed a second later.
 */
export async function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program = '', ...words] = argv;
  const result = await execa(program, words, {
    env: { ...BARE, ...options.env },
    extendEnv: false,
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    timeout: options.timeoutMs,
    forceKillAfterDelay: 1000,
    maxBuffer: options.maxChars ?? 4 << 20,
    stripFinalNewline: true,
  });
  return {
    code: result.exitCode,
    stdout: result.stdout,
    stderr:
      result.stderr === '' && result.exitCode === undefined ? (result.shortMessage ?? '') : result.stderr,
    timedOut: result.timedOut,
    tooMuch: result.isMaxBuffer,
  };
}

/**
 * Runs one of the app's commands, for `limitMs` at most: it is left running then, as killing a script leaves what
 * it has started. Its output goes nowhere, as a pipe would be held open by what outlives us.
 * @returns its exit code; undefined when it goes on
 */
export async function runOrLeave(argv: readonly string[], limitMs: number): Promise<number | undefined> {
  const [program = '', ...words] = argv;
  const child = execa(program, words, {
    env: BARE,
    extendEnv: false,
    reject: false,
    stdio: 'ignore',
    detached: true,
    cleanup: false,
  });
  child.unref();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  const ended = await Promise.race([child.then(({ exitCode }) => exitCode ?? 1), limit]);
  clearTimeout(timer);
  return ended;
}
