import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../machines/bed/sh.ts';

/** What etcd did with a data dir: answered reads and a write, ended by itself, or ran on without ever answering. */
export type Outcome = 'serves' | 'refuses' | 'waits';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** A start that goes well answers within half a second, a write within milliseconds. */
const START_MS = 5_000;
const WRITE_MS = 2_000;

/** Those that run are ended with this process, however it ends but by SIGKILL. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/**
 * An etcd of its own: it listens on sockets in its directory, so that any number run side by side and nothing else
 * on the machine is touched. Its memory is bounded, since a damaged database can make it ask for all there is.
 */
export class RealEtcd {
  readonly exited: Promise<void>;
  hasExited = false;
  /** How long one request may take. */
  private patienceMs = 30_000;

  private constructor(
    private readonly dir: string,
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    running.add(child);
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        running.delete(child);
        this.hasExited = true;
        resolve();
      });
    });
  }

  /**
   * Starts `binary` with the data dir `dir`/`name`.
   * @param cluster the members to found or join with, by name
   */
  static start(
    binary: string,
    dir: string,
    options: { name?: string; cluster?: readonly string[]; state?: string; flags?: readonly string[] } = {},
  ): RealEtcd {
    const { name = 'm', cluster = [name], state = 'new', flags = [] } = options;
    const log = openSync(join(dir, `${name}.log`), 'a');
    const peer = (one: string) => `unix://${one}.peer:1`;
    const words = Object.entries({
      name,
      'data-dir': name,
      'listen-peer-urls': peer(name),
      'initial-advertise-peer-urls': peer(name),
      'listen-client-urls': `unix://${name}.client:1`,
      'advertise-client-urls': `unix://${name}.client:1`,
      'initial-cluster': cluster.map((one) => `${one}=${peer(one)}`).join(','),
      'initial-cluster-state': state,
      'heartbeat-interval': cluster.length > 1 ? '100' : '10',
      'election-timeout': cluster.length > 1 ? '1000' : '100',
      'backend-batch-interval': '10ms',
      'quota-backend-bytes': '536870912',
      // Nobody cuts the power here, and the disk is others' too.
      'unsafe-no-fsync': 'true',
    }).map(([key, value]) => `--${key}=${value}`);
    const script = 'ulimit -v 6000000; exec "$0" "$@"';
    const child = spawn('/bin/sh', ['-c', script, binary, ...words, ...flags], {
      cwd: dir,
      stdio: ['ignore', log, log],
      env: { GOMAXPROCS: '1', PATH: '/usr/bin:/bin' },
    });
    closeSync(log);
    return new RealEtcd(dir, name, child);
  }

  /** One request through etcd's JSON gateway. @throws when it is refused or not answered */
  async call(path: string, body: object): Promise<Record<string, unknown>> {
    const reply = await fetch(`http://etcd/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      unix: join(this.dir, `${this.name}.client:1`),
      signal: AbortSignal.timeout(this.patienceMs),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(text);
    return JSON.parse(text);
  }

  /** What AppCenter's check asks. */
  health = () => fetch('http://etcd/health', { unix: join(this.dir, `${this.name}.client:1`) });

  put = (key: string, value: string) => this.call('kv/put', { key: base64(key), value: base64(value) });
  /** Reads every key and value, by the quorum. */
  readAll = () => this.call('kv/range', { key: 'AA==', range_end: 'AA==' });

  /** Waits until `request` is answered. @returns false when etcd ends before, or the bound is reached */
  async answers(request: () => Promise<unknown>, boundMs = 15_000): Promise<boolean> {
    for (const endMs = performance.now() + boundMs; performance.now() < endMs; await sleep(10)) {
      if (this.hasExited) return false;
      const answered = await request().then(
        () => true,
        () => false,
      );
      if (answered) return true;
    }
    return false;
  }

  /**
   * Serves: a linearizable read of everything, a write that reaches the database, and the read once more.
   * @param factor how many times as long each may take: one that has to serve is waited for on a slow machine too
   */
  async outcome(factor = 1): Promise<Outcome> {
    const writeMs = WRITE_MS * factor;
    this.patienceMs = writeMs;
    if (
      (await this.answers(this.readAll, START_MS * factor)) &&
      (await this.answers(() => this.put('sweep', 'x'), writeMs))
    ) {
      // The backend's commit comes 10 ms after the write.
      await Promise.race([this.exited, sleep(60)]);
      if (await this.answers(this.readAll, writeMs)) return 'serves';
    }
    // One that dies of the request fails the request first.
    await Promise.race([this.exited, sleep(500)]);
    return this.hasExited ? 'refuses' : 'waits';
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.hasExited) this.child.kill(signal);
    await this.exited;
  }

  log(): string {
    return readFileSync(join(this.dir, `${this.name}.log`), 'utf8');
  }
}
