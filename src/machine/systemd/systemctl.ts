import { run } from '../os/run.ts';

const text = (value: string): string => value;
const number = (value: string): number => Number.parseInt(value, 10) || 0;

/** `Mon 2026-11-23 15:54:39 UTC`: TZ=UTC is set for the call, so that it is always UTC. */
const timestampSec = (value: string): number => {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(value);
  return match === null ? 0 : Math.floor(Date.parse(`${match[1]}T${match[2]}Z`) / 1000);
};

/**
 * Each fact of a unit, its property (org.freedesktop.systemd1(5)), and how that is read; empty texts where systemd
 * knows nothing.
 */
const FACTS = {
  load: ['LoadState', text],
  active: ['ActiveState', text],
  sub: ['SubState', text],
  result: ['Result', text],
  mainPid: ['MainPID', number],
  /** The last main process: 1 exited, 2 killed, 3 dumped (waitid(2)); 0 none yet. */
  exitKind: ['ExecMainCode', number],
  /** Its exit code or signal. */
  exitStatus: ['ExecMainStatus', number],
  exitPid: ['ExecMainPID', number],
  restarts: ['NRestarts', number],
  /** Of the running or the last run; empty before systemd 232. */
  invocationId: ['InvocationID', (value) => /^[0-9a-f]{32}$/.exec(value)?.[0] ?? ''],
  /** Seconds since the epoch when the last main process was started; 0 never. */
  startedAtSec: ['ExecMainStartTimestamp', timestampSec],
  fragment: ['FragmentPath', text],
  dropIns: ['DropInPaths', (value): readonly string[] => value.split(' ').filter(Boolean)],
  /** Environment files in force, as systemd has loaded them: one line a file, `/path (ignore_errors=no)`. */
  environmentFiles: ['EnvironmentFiles', (value): readonly string[] => value.match(/^\S+/gm) ?? []],
  /** The program that it starts; empty when that is not known. */
  program: ['ExecStart', (value) => /\bpath=(\/\S+)/.exec(value)?.[1] ?? ''],
  /** Empty: root. */
  user: ['User', text],
  needsReload: ['NeedDaemonReload', (value) => value === 'yes'],
} as const satisfies Readonly<Record<string, readonly [property: string, read: (value: string) => unknown]>>;

/** What systemd knows of a unit. */
export type UnitFacts = { readonly [K in keyof typeof FACTS]: ReturnType<(typeof FACTS)[K][1]> };

/** Facts from the text of `systemctl show`, one block of lines a unit. */
export function parseShow(shown: string): UnitFacts[] {
  // An older systemctl calls the files of EnvironmentFiles= one by one (systemctl.c, print_property).
  const blocks = shown.replaceAll(/^EnvironmentFile=/gm, 'EnvironmentFiles=').split(/\n\s*\n/);
  const factsOf = (block: string) =>
    Object.entries(FACTS).map(([name, [property, read]]) => {
      const values = block.matchAll(new RegExp(`^${property}=(.*)$`, 'gm'));
      return [name, read([...values].map(([, value]) => value).join('\n'))];
    });
  return blocks
    .filter((block) => block.trim() !== '')
    .map((block) => Object.fromEntries(factsOf(block)) as UnitFacts);
}

/**
 * Facts of several units in one call, in the order asked for.
 * @throws when systemctl cannot answer.
 */
export async function showUnits(names: readonly string[]): Promise<UnitFacts[]> {
  const properties = Object.values(FACTS).map(([property]) => property);
  const argv = ['systemctl', 'show', '--no-pager', `--property=${properties.join(',')}`, '--', ...names];
  const { stdout, failure } = await run(argv, { timeoutMs: 2000, env: { TZ: 'UTC' } });
  const facts = parseShow(stdout);
  if (failure !== undefined || facts.length !== names.length)
    throw new Error(`systemctl show ${names.join(' ')}: ${failure ?? `${facts.length} answers`}`);
  return facts;
}
