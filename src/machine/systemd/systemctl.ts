import { run } from '../os/run.ts';

/** What systemd knows of a unit (org.freedesktop.systemd1(5)); empty texts where it knows nothing. */
export interface UnitFacts {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly mainPid: number;
  /** The last main process: 1 exited, 2 killed, 3 dumped (waitid(2)); 0 none yet. */
  readonly exitKind: number;
  /** Its exit code or signal. */
  readonly exitStatus: number;
  readonly exitPid: number;
  readonly restarts: number;
  /** Of the running or the last run; empty before systemd 232. */
  readonly invocationId: string;
  /** Seconds since the epoch when the last main process was started; 0 never. */
  readonly startedAtSec: number;
  readonly fragment: string;
  readonly dropIns: readonly string[];
  /** Environment files in force, as systemd has loaded them. */
  readonly environmentFiles: readonly string[];
  /** The program that it starts (ExecStart=); empty when that is not known. */
  readonly program: string;
  /** Empty: root. */
  readonly user: string;
  readonly needsReload: boolean;
}

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'ExecMainPID',
  'ExecMainStartTimestamp',
  'NRestarts',
  'InvocationID',
  'FragmentPath',
  'DropInPaths',
  'EnvironmentFiles',
  'User',
  'ExecStart',
  'NeedDaemonReload',
];

/** `Mon 2026-11-23 15:54:39 UTC`: TZ=UTC is set for the call, so that it is always UTC. */
const timestampSec = (text: string): number => {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(text);
  return match === null ? 0 : Math.floor(Date.parse(`${match[1]}T${match[2]}Z`) / 1000);
};

/** Facts from the text of `systemctl show`, one block of lines a unit. */
export function parseShow(text: string): UnitFacts[] {
  return text
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const p = new Map(
        block.split('\n').map((line) => {
          const at = line.indexOf('=');
          return [line.slice(0, at), line.slice(at + 1)] as const;
        }),
      );
      // One line a file: `EnvironmentFiles=/path (ignore_errors=no)`.
      const files = [...block.matchAll(/^EnvironmentFiles?=(\S+)/gm)].map(([, path = '']) => path);
      const number = (key: string): number => Number.parseInt(p.get(key) ?? '', 10) || 0;
      return {
        load: p.get('LoadState') ?? '',
        active: p.get('ActiveState') ?? '',
        sub: p.get('SubState') ?? '',
        result: p.get('Result') ?? '',
        mainPid: number('MainPID'),
        exitKind: number('ExecMainCode'),
        exitStatus: number('ExecMainStatus'),
        exitPid: number('ExecMainPID'),
        restarts: number('NRestarts'),
        invocationId: /^[0-9a-f]{32}$/.test(p.get('InvocationID') ?? '')
          ? (p.get('InvocationID') as string)
          : '',
        startedAtSec: timestampSec(p.get('ExecMainStartTimestamp') ?? ''),
        fragment: p.get('FragmentPath') ?? '',
        dropIns: (p.get('DropInPaths') ?? '').split(' ').filter(Boolean),
        environmentFiles: files,
        program: /\bpath=(\/\S+)/.exec(p.get('ExecStart') ?? '')?.[1] ?? '',
        user: p.get('User') ?? '',
        needsReload: p.get('NeedDaemonReload') === 'yes',
      };
    });
}

/**
 * Facts of several units in one call, in the order asked for.
 * @throws when systemctl cannot answer.
 */
export async function showUnits(names: readonly string[]): Promise<UnitFacts[]> {
  const argv = ['systemctl', 'show', '--no-pager', `--property=${PROPERTIES.join(',')}`, '--', ...names];
  const result = await run(argv, { timeoutMs: 2000, env: { TZ: 'UTC' } });
  const facts = parseShow(result.stdout);
  if (result.code !== 0 || facts.length !== names.length) {
    throw new Error(
      `systemctl show ${names.join(' ')}: ${result.timedOut ? 'no answer in 2 s' : result.stderr}`,
    );
  }
  return facts;
}
