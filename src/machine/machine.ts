import type { Depth } from './etcd/examination.ts';
import type { Examination } from './etcd/examine.ts';
import type { FileRights } from './os/held-dir.ts';
import type { Network, Reach } from './os/network.ts';
import type { ProcessSample } from './os/process.ts';
import type { UnitFacts } from './systemd/systemctl.ts';

/** mask: a link to /dev/null, by which systemd takes a unit's name out of use (systemctl(1), mask). */
export type PathKind = 'none' | 'file' | 'directory' | 'mount point' | 'link' | 'mask' | 'other';

export type Health =
  | { readonly state: 'true' }
  /** It answered, and not with "true"; or it did not answer, and may yet: it is late, or just being started. */
  | { readonly state: 'false' | 'none'; readonly why: string; readonly mayAnswer?: boolean };

export type TextFile = { readonly text: string; readonly rights: FileRights };

export interface Room {
  /** For everybody; a file system may keep some for root (tune2fs(8), -m). */
  readonly bytes: number;
  readonly rootBytes: number;
  readonly inodes: number;
}

/**
 * The one seam to this machine: everything that heal-node reads of it or does to it goes through here. Paths
 * are absolute; no link in them is followed; a write is whole and flushed when it returns.
 */
export interface Machine {
  /** Milliseconds since the epoch: for stamps, as it jumps when the clock is set (after a migration, at boot). */
  now(): number;
  /** Milliseconds since a moment of this process: for waits and durations; never jumps. */
  monotonicMs(): number;
  /** Which boot this is, and for how long it has lasted (proc(5), boot_id and uptime): never set, and known to every process. */
  boot(): { readonly bootId: string; readonly upMs: number };
  /** @param ended ends it early; it rejects then */
  sleep(ms: number, ended?: AbortSignal): Promise<void>;

  kindOf(path: string): Promise<PathKind>;
  /** Names in a directory, sorted; none when there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /** A text file with its rights, or undefined when there is none. Throws for links and large files. */
  readFile(path: string, maxBytes?: number): Promise<TextFile | undefined>;
  /** Puts a whole file in place of the old one; missing directories are made, root's own. */
  writeFile(path: string, text: string, rights: FileRights): Promise<void>;
  /** When what is there was last changed, renamed or given other rights (stat(2), st_ctim); undefined when nothing is. */
  changedMs(path: string): Promise<number | undefined>;
  /** Owner and mode of what is there; undefined when nothing is. */
  rightsOf(path: string): Promise<FileRights | undefined>;
  /** Makes one directory, with these rights; one that is there stays as it is. */
  makeDirectory(path: string, rights: FileRights): Promise<void>;
  /** Gives a directory that is there to somebody, with a mode. What is in it stays as it is. */
  giveDirectory(path: string, rights: FileRights): Promise<void>;
  /** Renames within a file system. Throws, and moves nothing, when the new name is taken. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file or a tree; nothing there is nothing done. */
  remove(path: string): Promise<void>;
  /**
   * Copies files of another node's into a directory, root's alone, as the app does it (docs/platform.md): by scp on
   * port 16022, with root's own key and what root's ssh knows of hosts. @param path may have a `*` for its files
   * @throws with what scp said
   */
  copyFrom(host: string, path: string, into: string): Promise<void>;
  /** What is free on the file system of `path`, or of where it would be. */
  room(path: string): Promise<Room>;
  /** The end of a text file, `maxBytes` at most; undefined when there is none. */
  tail(path: string, maxBytes: number): Promise<string | undefined>;
  /** About the bytes below a directory: to see whether data arrive, or what it would free. */
  sizeOf(path: string): Promise<number>;

  /** What stands in a data dir, looked at so deeply; never throws. */
  examine(dirs: { dataDir: string; walDir: string }, depth: Depth): Promise<Examination>;
  /** Whether a path, or the nearest above it, stands on the file system of `/`. */
  isOnRoot(path: string): Promise<boolean>;
  /** The ID of the file system that a path, or the nearest above it, stands on (statfs(2), f_fsid), as text. */
  fileSystemId(path: string): Promise<string>;

  /** The words of every process's command line. */
  commandLines(): Promise<readonly (readonly string[])[]>;
  process(pid: number): Promise<ProcessSample | undefined>;
  /** What `PROGRAM --version` prints. */
  versionText(program: string): Promise<string>;
  /** `ports` are those whose listeners are asked for. */
  network(ports: readonly number[]): Promise<Network>;
  reach(host: string, port: number, timeoutMs: number): Promise<Reach>;

  units(names: readonly string[]): Promise<readonly UnitFacts[]>;
  /** What the newest run of a unit has logged in this boot. */
  journal(unit: UnitFacts): Promise<readonly string[]>;
  /** `systemctl ARGUMENTS`; throws with what it said when it fails or takes longer than `timeoutMs`. */
  systemctl(words: readonly string[], timeoutMs?: number): Promise<void>;
  /**
   * What `systemctl status` tells of this service from now on, where this process is one; each text after the one before
   * it. Nothing has to wait for it but the end of the process; never rejects.
   */
  status(text: string, isLast?: boolean): Promise<unknown>;
  /** Runs one of the app's commands; its exit code, or undefined when it still runs at the limit, and goes on. */
  runApp(argv: readonly string[], timeoutMs: number): Promise<number | undefined>;
}

export const ROOT_ONLY_FILE: FileRights = { mode: 0o600, uid: 0, gid: 0 };
export const ROOT_ONLY_DIRECTORY: FileRights = { mode: 0o700, uid: 0, gid: 0 };
