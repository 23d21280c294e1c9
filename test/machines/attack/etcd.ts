/** Real etcds and a real journald, within the namespaces of `inside.ts`. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa, type Result } from 'execa';
import { linesSince } from '../../../src/machine/etcd/log-lines.ts';
import { journalOf } from '../../../src/machine/systemd/journal.ts';
import { unit } from '../../fake/observation.ts';
import { sh, until } from '../bed/sh.ts';

/** How etcd may log: by its default, to a stream, and with zap to a stream and to a file. */
export const FORMS = {
  capnslog: {},
  'capnslog-stderr': { ETCD_LOG_OUTPUTS: 'stderr' },
  zap: { ETCD_LOGGER: 'zap' },
  'zap-file': { ETCD_LOGGER: 'zap', ETCD_LOG_OUTPUTS: '/run/etcd.log' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
export type Form = keyof typeof FORMS;

/** A run that has ended: as systemd would tell it, and the lines of its log as heal-node reads them. */
export interface Ended {
  readonly exitKind: number;
  readonly exitStatus: number;
  readonly lines: readonly string[];
}

/** Whoever comes by TLS is turned away, and that is logged: with certificates that etcd makes itself it is not. */
const CERTIFICATES = join(import.meta.dirname, '../../machine/os/recorded/certificates');
const JOURNALD = '/usr/lib/systemd/systemd-journald';
const JOURNALD_CONF =
  '[Journal]\nStorage=volatile\nRateLimitBurst=0\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\n';
const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15 };

/** A network of its own, a /run of its own, and a journald. */
export async function settleIn(): Promise<void> {
  await sh('ip', 'link', 'set', 'lo', 'up');
  await sh('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  mkdirSync('/run/systemd/journald.conf.d', { recursive: true });
  writeFileSync('/run/systemd/journald.conf.d/test.conf', JOURNALD_CONF);
  execa(JOURNALD, [], { stdio: 'ignore', reject: false, cleanup: true });
  await until(
    'journald listens',
    async () =>
      ['stdout', 'socket', 'io.systemd.journal'].every((name) => existsSync(`/run/systemd/journal/${name}`)),
    180_000,
    20,
  );
}

const isMarked = async (mark: string): Promise<boolean> =>
  (await sh('journalctl', '--boot', '--no-pager', '--output=cat', `SYSLOG_IDENTIFIER=${mark}`)) !== '';

/** zap's message; or the first words of a line, up to what is quoted in it. */
const beginningOf = (message: string): string => {
  const [, said] = /"msg":"([^"]*)"/.exec(message) ?? /^([^"{\p{Cc}]{0,60})/u.exec(message) ?? [];
  return (said ?? '').replace(/\d+/g, 'N').trim();
};

type Child = Promise<Pick<Result, 'exitCode' | 'signal'>> & { readonly pid?: number | undefined };

export class Etcd {
  readonly pid: number;
  readonly clientUrl: string;
  readonly peerPort: number;
  private readonly startedMs = Date.now();

  private constructor(
    private readonly child: Child,
    private readonly logFile: string | undefined,
    port: number,
  ) {
    this.pid = child.pid ?? 0;
    this.clientUrl = `http://127.0.0.1:${port}`;
    this.peerPort = port + 1;
  }

  /**
   * @param port its client port; the next one is its peers', the one after it its clients' by TLS
   * @param as a program, with its words, that becomes etcd
   */
  static start(
    program: string,
    form: Form,
    dir: string,
    port: number,
    env: Readonly<Record<string, string>> = {},
    as: readonly string[] = [],
  ): Etcd {
    const log = FORMS[form];
    const settings = {
      ETCD_NAME: `m${port}`,
      ETCD_DATA_DIR: join(dir, `${port}`),
      ETCD_LISTEN_CLIENT_URLS: `http://127.0.0.1:${port},https://127.0.0.1:${port + 2}`,
      ETCD_ADVERTISE_CLIENT_URLS: `http://127.0.0.1:${port}`,
      ETCD_LISTEN_PEER_URLS: `http://127.0.0.1:${port + 1}`,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://127.0.0.1:${port + 1}`,
      ETCD_INITIAL_CLUSTER: `m${port}=http://127.0.0.1:${port + 1}`,
      ETCD_CERT_FILE: join(CERTIFICATES, 'server.pem'),
      ETCD_KEY_FILE: join(CERTIFICATES, 'server-key.pem'),
      ETCD_ENABLE_V2: 'true',
      ETCD_HEARTBEAT_INTERVAL: '20',
      ETCD_ELECTION_TIMEOUT: '200',
      ETCD_BCRYPT_COST: '4',
    };
    // systemd-cat gives it journald's stream and becomes it: its parent is still process 1.
    const child = execa('systemd-cat', ['--identifier=etcd', ...as, program], {
      env: { PATH: process.env.PATH, ...settings, ...log, ...env },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
    });
    return new Etcd(
      child,
      'ETCD_LOG_OUTPUTS' in log && form === 'zap-file' ? log.ETCD_LOG_OUTPUTS : undefined,
      port,
    );
  }

  async serves(): Promise<void> {
    await until(
      `${this.clientUrl} serves`,
      async () => {
        const reply = await fetch(`${this.clientUrl}/health`).catch(() => undefined);
        return (await reply?.text())?.includes('"true"');
      },
      180_000,
      20,
    );
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Waits until it has ended, and until journald has all of its log. */
  async ended(): Promise<Ended> {
    const { exitCode, signal } = await this.child;
    const facts = {
      mainPid: 0,
      exitKind: exitCode === undefined ? 2 : 1,
      exitStatus: exitCode ?? SIGNALS[String(signal)] ?? 0,
      exitPid: this.pid,
    };
    const mark = `after-${this.pid}`;
    await sh('systemd-cat', `--identifier=${mark}`, 'echo', mark);
    await until('journald has read all', () => isMarked(mark), 60_000, 20);
    await sh('journalctl', '--sync');
    const journal = await journalOf(unit({ ...facts, invocationId: '', startedAtSec: 0 }));
    const written =
      this.logFile === undefined
        ? []
        : linesSince(await readFile(this.logFile, 'utf8'), this.startedMs - 1000);
    return { exitKind: facts.exitKind, exitStatus: facts.exitStatus, lines: [...written, ...journal] };
  }

  /** Whether one line of its log holds all of these. */
  async hasLogged(...texts: readonly string[]): Promise<boolean> {
    const written = this.logFile === undefined ? '' : await readFile(this.logFile, 'utf8');
    const journal = await sh(
      'journalctl',
      '--boot',
      '--output=cat',
      '--all',
      '--no-pager',
      `_PID=${this.pid}`,
    );
    return `${written}\n${journal}`.split('\n').some((line) => texts.every((text) => line.includes(text)));
  }

  /** What etcd has logged with a text in it, entry by entry: how each kind of entry begins. After `ended`. */
  async entriesWith(text: string): Promise<string[]> {
    const journal = await sh(
      'journalctl',
      '--boot',
      '--output=json',
      '--all',
      '--no-pager',
      `_PID=${this.pid}`,
    );
    const beginnings = journal
      .split('\n')
      .filter(Boolean)
      .flatMap((line) => {
        const { MESSAGE } = JSON.parse(line) as { MESSAGE: string | number[] };
        const message = typeof MESSAGE === 'string' ? MESSAGE : Buffer.from(MESSAGE).toString();
        return message.includes(text) ? [beginningOf(message)] : [];
      });
    return [...new Set(beginnings)].sort();
  }
}
