import { once } from 'node:events';
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Depth } from './etcd/examination.ts';
import { examine } from './etcd/examine.ts';
import { type Machine, ROOT_ONLY_DIRECTORY } from './machine.ts';
import { type FileRights, HeldDir, type HeldFile, ifThere, rightsOf } from './os/held-dir.ts';
import { lookAtNetwork, reach } from './os/network.ts';
import { commandLines, sampleProcess } from './os/process.ts';
import { run, runOrLeave, spawnLines } from './os/run.ts';
import { journalOf } from './systemd/journal.ts';
import { showUnits } from './systemd/systemctl.ts';

/**
 * How much is looked at. A founding's log is short, and whatever is longer is told from one by its first entries; a log
 * is some files of 64 MiB; a look at gigabytes takes seconds, and an action has them.
 */
const LIMITS: Readonly<Record<Depth, { readonly bytes: number; readonly ms: number }>> = {
  kind: { bytes: 16 << 20, ms: 300 },
  // Two files of small records, of 64 MiB each, take more than 3 s.
  log: { bytes: 2 ** 30, ms: 10_000 },
  all: { bytes: 16 * 2 ** 30, ms: 12_000 },
};

/** Does something in the directory that holds `path`, with the last component's name. */
function inParent<T>(path: string, act: (dir: HeldDir, name: string) => T, create?: FileRights): T {
  const at = path.lastIndexOf('/');
  using dir = HeldDir.open(path.slice(0, at) || '/', create);
  return act(dir, path.slice(at + 1));
}

/** The same, and undefined when there is no such directory. */
const inParentIfAny = <T>(path: string, act: (dir: HeldDir, name: string) => T): T | undefined =>
  ifThere(() => inParent(path, act));

/** What `read` reads of a file; undefined when there is none. @throws for a link, and for what is not a regular file */
const inFile = <T>(path: string, read: (file: HeldFile) => T): T | undefined =>
  inParentIfAny(path, (dir, name) => {
    using file = dir.openFile(name);
    return file && read(file);
  });

/** The path, or the nearest above it that is there. */
const nearestDirectory = (path: string): string =>
  path === '' ? '/' : existsSync(path) ? path : nearestDirectory(path.slice(0, path.lastIndexOf('/')));

function sizeBelow(dir: HeldDir): number {
  let bytes = 0;
  for (const name of dir.names()) {
    const stat = dir.stat(name);
    if (stat?.isDirectory()) {
      using inner = dir.enter(name);
      bytes += sizeBelow(inner);
    } else {
      // Blocks beside the length: what is preallocated, or has holes, grows in one of them alone.
      bytes += (stat?.size ?? 0) + (stat?.blocks ?? 0);
    }
  }
  return bytes;
}

/** What a program prints. @throws with what it said when it fails, or takes longer */
async function mustRun(argv: readonly string[], timeoutMs: number, what: string): Promise<string> {
  const { stdout, failure } = await run(argv, { timeoutMs });
  if (failure !== undefined) throw new Error(`${what}: ${failure.slice(0, 500)}`);
  return stdout.trim();
}

/** Passes each line that it reads on to systemd: Bun has no datagram sockets, and to start a process for each takes longer. */
const NOTIFIES = 'while read -r line; do systemd-notify --status="$line"; done';
const NOTIFIED_MS = 2000;
/** What is over sooner is not told. */
const BRIEF_MS = 150;
let notifier: ReturnType<typeof spawnLines> | undefined;
let due: ReturnType<typeof setTimeout> | undefined;

async function status(text: string, isLast = false): Promise<void> {
  const { NOTIFY_SOCKET } = process.env;
  if (!NOTIFY_SOCKET) return;
  clearTimeout(due);
  if (!isLast) await new Promise((tells) => (due = setTimeout(tells, BRIEF_MS)));
  notifier ??= spawnLines(['/bin/sh', '-c', NOTIFIES], { NOTIFY_SOCKET });
  // What stood on a line of its own would be an assignment of its own (sd_notify(3)).
  notifier.stdin.write(`${text.replace(/\s+/g, ' ').slice(0, 500)}\n`);
  if (!isLast) return;
  notifier.stdin.end();
  await once(notifier, 'exit', { signal: AbortSignal.timeout(NOTIFIED_MS) }).catch(() => undefined);
  notifier = undefined;
}

/** The real machine that this process runs on. */
export const thisMachine: Machine = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  boot: () => ({ bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), upMs: uptime() * 1000 }),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),

  kindOf: async (path) => inParentIfAny(path, (dir, name) => dir.kindOf(name)) ?? 'none',
  list: async (path) => inParentIfAny(`${path}/x`, (dir) => dir.names()) ?? [],
  readFile: async (path, maxBytes = 1 << 20) =>
    inFile(path, (file) => ({ text: file.whole(maxBytes).toString('utf8'), rights: file.rights })),
  writeFile: async (path, text, rights) =>
    inParent(path, (dir, name) => dir.write(name, text, rights), ROOT_ONLY_DIRECTORY),
  changedMs: async (path) => inParentIfAny(path, (dir, name) => dir.stat(name)?.ctimeMs),
  rightsOf: async (path) =>
    inParentIfAny(path, (dir, name) => {
      const stat = dir.stat(name);
      return stat && rightsOf(stat);
    }),
  makeDirectory: async (path, rights) => inParent(path, (dir, name) => dir.enter(name, rights).close()),
  giveDirectory: async (path, rights) => inParent(path, (dir, name) => dir.give(name, rights)),
  move: async (from, to) =>
    inParent(from, (source, name) =>
      inParent(to, (target, newName) => source.moveTo(name, target, newName), ROOT_ONLY_DIRECTORY),
    ),
  remove: async (path) => inParentIfAny(path, (dir, name) => dir.remove(name)),
  copyFrom: async (host, path, into) => {
    inParent(`${into}/x`, () => undefined, ROOT_ONLY_DIRECTORY);
    // Certificates are far shorter; whatever there is on the other machine, this one's memory is not filled.
    const argv = ['prlimit', '--fsize=1048576', 'scp', '-P', '16022', '-p', `${host}:${path}`, into];
    await mustRun(argv, 10_000, 'scp -P 16022');
  },
  room: async (path) => {
    const { bavail, bfree, bsize, ffree, files } = statfsSync(nearestDirectory(path));
    // Some file systems count no inodes: they do not run out of them.
    const inodes = files === 0 ? Number.POSITIVE_INFINITY : ffree;
    return { bytes: bavail * bsize, rootBytes: bfree * bsize, inodes };
  },
  tail: async (path, maxBytes) => inFile(path, (file) => file.last(maxBytes).toString('utf8')),
  // Something may be renamed while it is looked at: that is movement too.
  sizeOf: async (path) => inParentIfAny(`${path}/x`, sizeBelow) ?? 0,

  examine: async ({ dataDir, walDir }, depth) => examine(dataDir, walDir, { ...LIMITS[depth], depth }),
  isOnRoot: async (path) => statSync(nearestDirectory(path)).dev === statSync('/').dev,
  fileSystemId: async (path) => {
    const argv = ['stat', '--file-system', '--format=%i', '--', nearestDirectory(path)];
    return mustRun(argv, 2000, `stat --file-system ${path}`);
  },

  commandLines: async () => commandLines(),
  versionText: async (program) => (await run([program, '--version'], { timeoutMs: 1000 })).stdout,
  process: async (pid) => sampleProcess(pid),
  network: async (ports) => lookAtNetwork(ports),
  reach,

  units: (names) => showUnits(names),
  journal: (unit) => journalOf(unit),
  systemctl: async (words, timeoutMs = 30_000) => {
    const argv = ['systemctl', '--no-pager', '--no-ask-password', ...words];
    await mustRun(argv, timeoutMs, `systemctl ${words.join(' ')}`);
  },
  status,
  runApp: runOrLeave,
};
