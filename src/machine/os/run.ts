import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';

interface RunOptions {
  readonly timeoutMs: number;
  /** Added to a bare environment: nothing of the caller's is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Given to it on its standard input. */
  readonly input?: string | undefined;
  /** Kept of each stream, at most. */
  readonly maxChars?: number;
}

/**
 * AppCenter's environment may lack `/usr/sbin`; and a caller's PATH is not ours to trust. `CTL_SH_APP`: what is called here
 * as the app's script is the app's, also where a link to heal-node has taken its name (src/appcenter/ctl.ts).
 */
const BARE = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root', CTL_SH_APP: '1' };

const NOTHING_SAID = { exitCode: undefined, stdout: '', stderr: '', timedOut: false, isMaxBuffer: false };

/**
 * Runs a program without a shell and waits for it. Never throws: what went wrong is in the result.
 * On the time limit it is asked to end, and killed a second later.
 */
export async function run(argv: readonly string[], options: RunOptions) {
  const [program = '', ...words] = argv;
  const running = async () =>
    execa(program, words, {
      env: { ...BARE, ...options.env },
      extendEnv: false,
      reject: false,
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
      timeout: options.timeoutMs,
      forceKillAfterDelay: 1000,
      maxBuffer: options.maxChars ?? 4 << 20,
      stripFinalNewline: true,
    });
  // Under Bun execa throws where a file is there that cannot be run.
  const result = await running().catch((error: Error) => ({
    ...NOTHING_SAID,
    shortMessage: `${program} cannot be run: ${error.message}`,
  }));
  const { exitCode, stdout, stderr, shortMessage, timedOut } = result;
  const ended = exitCode === undefined ? shortMessage : `exit ${exitCode}`;
  const why = timedOut ? `no answer within ${options.timeoutMs} ms` : stderr.trim() || ended;
  return {
    stdout,
    /** Why it did not end with 0: what it said, if it said anything. */
    failure: exitCode === 0 ? undefined : (why ?? ''),
    timedOut,
    /** It printed more than is kept, and was ended for it. */
    tooMuch: result.isMaxBuffer,
  };
}

/** Starts a program that is written to, line by line; it says nothing. One that ends before takes nobody with it. */
export function spawnLines(
  [program = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const child = spawn(program, words, { env: { ...BARE, ...env }, stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  return child;
}

/**
 * Runs one of the app's commands, for `limitMs` at most: it is left running then, as killing a script leaves what
 * it has started. Its output goes nowhere, as a pipe would be held open by what outlives us.
 * @returns its exit code; undefined when it goes on
 */
export async function runOrLeave(argv: readonly string[], limitMs: number): Promise<number | undefined> {
  const [program = '', ...words] = argv;
  const child = spawn(program, words, { env: BARE, stdio: 'ignore', detached: true });
  try {
    const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(limitMs) });
    return code ?? 1;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') return 1;
    child.unref();
    return undefined;
  }
}
