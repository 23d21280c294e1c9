import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { RealEtcd } from './real-etcd.ts';

/** A data dir as a real etcd left it. */
export interface Recording {
  readonly name: string;
  /** The data dir. */
  readonly now: string;
  /** The same member's, at an earlier time. */
  readonly early: string;
  /** Another member's of the same cluster, where it had any. */
  readonly other?: string;
}

const copy = (from: string, to: string): void => cpSync(from, to, { recursive: true });

/** Asks until it is answered, also where a leader is being elected. @throws with etcd's log when it never is */
async function must(etcd: RealEtcd, request: () => Promise<unknown>): Promise<void> {
  if (!(await etcd.answers(request, 120_000))) throw new Error(`etcd does not answer:\n${etcd.log()}`);
}

/** Many requests, a few at a time. */
async function each(etcd: RealEtcd, count: number, request: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n += 16)
    await Promise.all(
      Array.from({ length: Math.min(16, count - n) }, (_, i) => must(etcd, () => request(n + i))),
    );
}

const text = (n: number, length: number): string =>
  `${n}:`.padEnd(length, String.fromCharCode(97 + (n % 26)));

/** Keys of all kinds: new, changed, deleted, with a lease; enough that the tree has branches. */
async function smallKeys(etcd: RealEtcd, count = 400): Promise<void> {
  await each(etcd, count, (n) => etcd.put(`key/${n % (count - 60)}`, text(n, 40 + (n % 90))));
  await each(etcd, 10, (n) =>
    etcd.call('kv/deleterange', { key: Buffer.from(`key/${n * 7}`).toString('base64') }),
  );
  for (let n = 1; n <= 3; n++) {
    const { ID } = await etcd.call('lease/grant', { TTL: 86_400 });
    const key = Buffer.from(`leased/${n}`).toString('base64');
    await etcd.call('kv/put', { key, value: key, lease: ID });
  }
}

/** The revision that the store is at. */
async function revision(etcd: RealEtcd): Promise<number> {
  const { header } = (await etcd.call('kv/range', { key: 'AA==', keys_only: true })) as {
    header: { revision: string };
  };
  return Number(header.revision);
}

async function compact(etcd: RealEtcd): Promise<void> {
  await etcd.call('kv/compaction', { revision: (await revision(etcd)) - 5, physical: true });
  await etcd.call('maintenance/defragment', {});
}

/** Writes the recordings of these names, side by side, each in a directory of its own below `top`. */
export async function record(
  binary: string,
  top: string,
  wanted: readonly string[] = RECORDINGS,
): Promise<Recording[]> {
  const started = new Map<string, Promise<Recording>>();
  for (const name of RECORDINGS.filter((one) => wanted.includes(one))) {
    const dir = join(top, name);
    mkdirSync(dir, { recursive: true });
    const after = started.get(NEEDS[name] ?? '') ?? Promise.resolve();
    const recorded = after.then(() => RECORDERS[name]?.(binary, dir));
    started.set(
      name,
      recorded.then((other) => ({
        name,
        now: join(dir, 'm'),
        early: join(dir, 'early'),
        ...(other ? { other } : {}),
      })),
    );
  }
  return Promise.all(started.values());
}

/** Starts, works, stops, keeps a copy as the early one, starts again and works on. */
async function inTwoParts(
  binary: string,
  dir: string,
  flags: readonly string[],
  first: (etcd: RealEtcd) => Promise<unknown>,
  second: (etcd: RealEtcd) => Promise<unknown>,
): Promise<void> {
  for (const [n, work] of [first, second].entries()) {
    const etcd = RealEtcd.start(binary, dir, { flags });
    await must(etcd, etcd.readAll);
    await work(etcd);
    await etcd.stop();
    if (n === 0) copy(join(dir, 'm'), join(dir, 'early'));
  }
}

/** What is recorded; the ones with a member of the same cluster beside them return its data dir. */
const RECORDERS: Readonly<Record<string, (binary: string, dir: string) => Promise<string | undefined>>> = {
  small: async (binary, dir) => {
    await inTwoParts(binary, dir, [], (etcd) => smallKeys(etcd, 120), smallKeys);
    return undefined;
  },
  founding: async (binary, dir) => {
    await inTwoParts(
      binary,
      dir,
      [],
      async () => {},
      async () => {},
    );
    return undefined;
  },
  large: async (binary, dir) => {
    const work = (etcd: RealEtcd) => each(etcd, 24, (n) => etcd.put(`large/${n}`, text(n, 9_000 * (1 + n))));
    await inTwoParts(binary, dir, [], work, work);
    return undefined;
  },
  snapshots: async (binary, dir) => {
    await inTwoParts(binary, dir, ['--snapshot-count', '50'], (etcd) => smallKeys(etcd, 170), smallKeys);
    return undefined;
  },
  compacted: async (binary, dir) => {
    await inTwoParts(binary, dir, [], smallKeys, async (etcd) => {
      await smallKeys(etcd);
      await compact(etcd);
      await each(etcd, 30, (n) => etcd.put(`after/${n}`, text(n, 60)));
    });
    return undefined;
  },
  'power lost': async (binary, dir) => {
    await inTwoParts(binary, dir, ['--snapshot-count', '100'], smallKeys, async (etcd) => {
      const writing = smallKeys(etcd).catch(() => undefined);
      await each(etcd, 100, (n) => etcd.put(`cut/${n}`, text(n, 200)));
      await etcd.stop('SIGKILL');
      await writing;
    });
    return undefined;
  },
  'several files': async (binary, dir) => {
    // A file of the log is cut at 64 MB (wal/wal.go, SegmentSizeBytes); one key, so that the database stays small.
    const work = async (etcd: RealEtcd) => {
      for (let n = 0; n < 23; n++) await etcd.put('big', text(n, 3_000_000));
      await smallKeys(etcd);
      await compact(etcd);
    };
    await inTwoParts(binary, dir, ['--snapshot-count', '300', '--max-request-bytes', '4000000'], work, work);
    return undefined;
  },
  'first files purged': async (binary, dir) => {
    const from = join(dir, '..', 'several files');
    copy(join(from, 'm'), join(dir, 'm'));
    copy(join(from, 'early'), join(dir, 'early'));
    // At its start etcd removes the files that lie before the newest snapshot.
    const etcd = RealEtcd.start(binary, dir, { flags: ['--snapshot-count', '300', '--max-wals', '1'] });
    const files = () => readdirSync(join(dir, 'm/member/wal')).filter((name) => name.endsWith('.wal')).length;
    const before = files();
    if (!(await etcd.answers(async () => (files() < before ? true : Promise.reject()))))
      throw new Error('not purged');
    await etcd.stop();
    return undefined;
  },
  restored: async (binary, dir) => {
    await inTwoParts(binary, dir, [], smallKeys, async () => {});
    rmSync(join(dir, 'early'), { recursive: true });
    const db = join(dir, 'm/member/snap/db');
    const words = [
      'snapshot',
      'restore',
      db,
      '--skip-hash-check',
      '--name',
      'm',
      '--data-dir',
      join(dir, 'restored'),
    ];
    const peer = 'unix://m.peer:1';
    await execa(
      join(binary, '../etcdctl'),
      [...words, '--initial-cluster', `m=${peer}`, '--initial-advertise-peer-urls', peer],
      { env: { ETCDCTL_API: '3' } },
    );
    rmSync(join(dir, 'm'), { recursive: true });
    copy(join(dir, 'restored'), join(dir, 'm'));
    await inTwoParts(binary, dir, [], (etcd) => smallKeys(etcd, 100), smallKeys);
    return undefined;
  },
  healed: async (binary, dir) => {
    const cluster = ['m', 'a', 'b'];
    // Else etcd wants five seconds of peace before each change of its members.
    const flags = ['--snapshot-count', '60', '--strict-reconfig-check=false'];
    const start = (name: string, state = 'new') =>
      RealEtcd.start(binary, dir, { name, cluster, state, flags });
    const [m, a, b] = [start('m'), start('a'), start('b')];
    for (const one of [m, a, b]) await must(one, one.readAll);
    await smallKeys(a);
    // A change whose reply is lost was made all the same: each is asked for until the list shows it.
    const find = async (by: RealEtcd, url: string) => {
      const { members } = (await by.call('cluster/member/list', {})) as {
        members: { ID: string; peerURLs: string[] }[];
      };
      return members.find(({ peerURLs }) => peerURLs.includes(url));
    };
    const remove = (name: string, by: RealEtcd) =>
      must(by, async () => {
        const member = await find(by, `unix://${name}.peer:1`);
        if (member === undefined) return;
        await by.call('cluster/member/remove', { ID: member.ID });
        throw new Error('not seen to be removed yet');
      });
    // The heal: the member is removed, its data go, and it is added and joins with a snapshot from the leader.
    await m.stop();
    await remove('m', a);
    rmSync(join(dir, 'm'), { recursive: true });
    await smallKeys(a);
    await must(a, async () => {
      if (!(await find(a, 'unix://m.peer:1')))
        await a.call('cluster/member/add', { peerURLs: ['unix://m.peer:1'] });
    });
    const healed = start('m', 'existing');
    await must(healed, healed.readAll);
    await smallKeys(healed, 100);
    copy(join(dir, 'm'), join(dir, 'early'));
    await smallKeys(healed, 200);
    // Alone it serves without the others, and the sweep needs no quorum.
    await remove('b', healed);
    await b.stop();
    await remove('a', healed);
    await a.stop();
    await must(healed, healed.readAll);
    await healed.stop();
    copy(join(dir, 'a'), join(dir, 'other'));
    return join(dir, 'other');
  },
};

/** One that is made of another, which has to be wanted too. */
const NEEDS: Readonly<Record<string, string>> = { 'first files purged': 'several files' };

export const RECORDINGS: readonly string[] = Object.keys(RECORDERS);
