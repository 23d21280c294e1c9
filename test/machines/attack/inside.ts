/** Runs within namespaces of its own (namespace.ts): real etcds that are attacked, or end by a fault of the machine. */
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sh, until } from '../bed/sh.ts';
import { type Ended, Etcd, type Form, settleIn } from './etcd.ts';
import { attack, lastly, panicWith } from './requests.ts';
import { lines, REPORT, SHORT, shortTexts, texts } from './texts.ts';

const [what, form, program = ''] = process.argv.slice(2) as ['attack' | 'faults', Form, string];

const taken = async (port: number, during: () => Promise<Ended>): Promise<Ended> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const ended = await during();
  server.close();
  return ended;
};

const started = async (dir: string, port: number): Promise<Etcd> => {
  const etcd = Etcd.start(program, form, dir, port);
  await etcd.serves();
  return etcd;
};

export interface Attacked {
  readonly runs: Readonly<Record<string, Ended>>;
  /** How the entries of etcd's log begin that hold what a client has sent. */
  readonly logged: readonly string[];
}

/** Attacked, and then ended in every bad way; each time with the text as the last thing in the log. */
async function attacked(): Promise<Attacked> {
  const dir = '/run/attacked';
  mkdirSync(dir);
  const runs: Record<string, Ended> = {};
  const first = await started(dir, 2379);
  await attack(first, texts, shortTexts);
  await lastly(first, `\n${lines.join('\n')}\n${REPORT}`);
  first.signal('SIGKILL');
  runs.SIGKILL = await first.ended();
  const logged = await first.entriesWith(SHORT.slice(0, 20));
  const second = await started(dir, 2379);
  await lastly(second, `2\n${REPORT}`);
  second.signal('SIGABRT');
  runs.SIGABRT = await second.ended();
  // What was written before is applied again, and what it fails with is logged again, before the port is asked for.
  runs['port taken'] = await taken(2379, () => Etcd.start(program, form, dir, 2379).ended());
  const third = await started(dir, 2379);
  await lastly(third, `3\n${REPORT}`);
  panicWith(third, `\n${REPORT}`);
  runs['panic of a client’s'] = await third.ended();
  // The value stands in the log of raft, and ends every later run too: another member is asked.
  mkdirSync('/run/quoting');
  const fourth = await started('/run/quoting', 2379);
  panicWith(fourth, lines.join(' '));
  runs['panic that quotes lines'] = await fourth.ended();
  return { runs, logged };
}

const MEMBERS = [2479, 2579, 2679];
/** etcd's own times: on a slow machine shorter ones would change the leader, who then has forgotten what it must know. */
const cluster = {
  ETCD_HEARTBEAT_INTERVAL: '100',
  ETCD_ELECTION_TIMEOUT: '1000',
  ETCD_INITIAL_CLUSTER: MEMBERS.map((port) => `m${port}=http://127.0.0.1:${port + 1}`).join(),
};

/** A member of three whose data are an older copy ends with raft's own panic. */
async function olderCopy(): Promise<Ended> {
  const dir = '/run/three';
  mkdirSync(dir);
  const start = (port: number): Etcd => Etcd.start(program, form, dir, port, cluster);
  const [first, ...others] = MEMBERS.map(start) as [Etcd, ...Etcd[]];
  await Promise.all([first, ...others].map((etcd) => etcd.serves()));
  const put = (): Promise<unknown> => lastly(others[0] as Etcd, `${Math.random()}`);
  await put();
  // The others go on without it, and the leader stays: it remembers what this member has acknowledged.
  await until('it follows one of the others', async () => {
    const { leader, header } = await status(first);
    if (leader !== header.member_id) return true;
    const { header: other } = await status(others[0] as Etcd);
    await fetch(`${first.clientUrl}/v3/maintenance/transfer-leadership`, {
      method: 'POST',
      body: JSON.stringify({ targetID: other.member_id }),
    });
    return false;
  });
  first.signal('SIGSTOP');
  cpSync(join(dir, '2479'), join(dir, 'copy'), { recursive: true });
  first.signal('SIGCONT');
  for (let i = 0; i < 10; i++) await put();
  await until('it has acknowledged all', async () => {
    const [own, other] = await Promise.all([status(first), status(others[0] as Etcd)]);
    return own.raftIndex === other.raftIndex;
  });
  first.signal('SIGKILL');
  await first.ended();
  rmSync(join(dir, '2479'), { recursive: true });
  renameSync(join(dir, 'copy'), join(dir, '2479'));
  const again = start(2479);
  const ended = await Promise.race([again.ended(), again.serves()]);
  if (ended === undefined) throw new Error('the older copy serves: the leader has changed meanwhile');
  for (const other of others) other.signal('SIGKILL');
  return ended;
}

interface Status {
  readonly leader: string;
  readonly raftIndex: string;
  readonly header: { readonly member_id: string };
}
const status = async ({ clientUrl }: Etcd): Promise<Status> =>
  (await (
    await fetch(`${clientUrl}/v3/maintenance/status`, { method: 'POST', body: '{}' })
  ).json()) as Status;

/** A mount of its own for a data dir. */
async function mounted(
  path: string,
  options: string,
  env: (dir: string) => Record<string, string>,
): Promise<Ended> {
  mkdirSync(path);
  await sh('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', path);
  return Etcd.start(program, form, path, 2879, env(path)).ended();
}

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** Every fault of a machine that etcd tells of in its last words, made. */
async function faults(): Promise<Record<string, Ended>> {
  mkdirSync('/run/fault');
  mkdirSync('/run/denied', { mode: 0o700 });
  const start = (env: Record<string, string>): Promise<Ended> =>
    Etcd.start(program, form, '/run/fault', 2779, env).ended();
  return {
    'bad-setting': await start({ ETCD_HEARTBEAT_INTERVAL: '500' }),
    'port-taken': await taken(2780, () => start({})),
    'address-missing': await start({ ETCD_LISTEN_CLIENT_URLS: 'http://10.9.9.9:2379' }),
    certificate: await start({
      ETCD_CERT_FILE: '/none.pem',
      ETCD_KEY_FILE: '/none-key.pem',
    }),
    permission: await Etcd.start(program, form, '/run/denied', 2779, {}, NOBODY).ended(),
    'read-only': await mounted('/run/read-only', 'ro', () => ({})),
    // Room for the first write-ahead log, and none for what comes after it.
    'disk-full': await mounted('/run/full', 'size=61100k', () => ({})),
    'log-short': await olderCopy(),
  };
}

await settleIn();
const stories = { attack: attacked, faults };
await Bun.write(Bun.stdout, JSON.stringify(await stories[what]()));
process.exit(0);
