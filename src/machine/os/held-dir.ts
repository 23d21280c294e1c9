import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { PathKind } from '../machine.ts';

/** A name beside `name` that nobody can guess, and so nobody can take before us. */
const temporaryName = (name: string): string => `.${name}.${randomBytes(12).toString('hex')}`;

/** Such a name, and after how long it is one that a write has left which was cut off: each takes milliseconds. */
const TEMPORARY = /^\..+\.[0-9a-f]{24}$/;
const LEFT_AFTER_MS = 60_000;

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Mode and owner, as fstat(2) has them. */
export type FileRights = Readonly<Pick<Stats, 'mode' | 'uid' | 'gid'>>;

export const rightsOf = ({ mode, uid, gid }: Stats): FileRights => ({ mode: mode & 0o7777, uid, gid });

/** What `look` finds; undefined where something on its way is missing. */
export function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Gives what is held open to somebody, with a mode, and flushes it. */
function give(fd: number, { mode, uid, gid }: FileRights): void {
  fchownSync(fd, uid, gid);
  fchmodSync(fd, mode);
  fsyncSync(fd);
}

/** Why a path could not be opened; its code stays. */
function notOpened(path: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ELOOP' ? 'is a link, which is not followed' : code;
  return Object.assign(new Error(`${path}: ${why}`), { code });
}

/** A regular file held open for reading. */
export class HeldFile {
  constructor(
    private readonly fd: number,
    private readonly path: string,
    /** In bytes, when it was opened. */
    readonly size: number,
    readonly rights: FileRights,
  ) {}

  /**
   * Reads from byte `at` on into `into`, until that is full or the file ends.
   * @returns how many bytes were read
   */
  read(into: Uint8Array, at: number): number {
    let length = 0;
    for (let n = -1; n !== 0 && length < into.length; length += n)
      n = readSync(this.fd, into, length, into.length - length, at + length);
    return length;
  }

  /** All of it. @throws when it is larger than `maxBytes` */
  whole(maxBytes: number): Buffer {
    if (this.size > maxBytes)
      throw new Error(`${this.path}: ${this.size} bytes, where ${maxBytes} are allowed`);
    return this.last(maxBytes);
  }

  /** Its last bytes, `maxBytes` at most. */
  last(maxBytes: number): Buffer {
    const bytes = Buffer.alloc(Math.min(this.size, maxBytes));
    return bytes.subarray(0, this.read(bytes, this.size - bytes.length));
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/**
 * A regular file held open for reading, whoever renames or replaces it meanwhile; undefined when there is none.
 * @param path for messages, where the place is another
 * @throws for a link, and for what is not a regular file.
 */
export function openFile(place: string, path = place): HeldFile | undefined {
  let fd: number;
  try {
    fd = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw notOpened(path, error);
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return new HeldFile(fd, path, stat.size, rightsOf(stat));
  closeSync(fd);
  throw new Error(`${path}: not a regular file`);
}

/**
 * A directory held open by descriptor, with every name below it resolved from there. Nobody who can rename or
 * link things above or inside can lead us elsewhere: each component is opened with O_NOFOLLOW (open(2)), and
 * `/proc/self/fd/N/name` stands for openat(2), which JavaScript does not have.
 */
export class HeldDir {
  private constructor(
    private readonly fd: number,
    /** The path it was opened by, for messages. */
    readonly path: string,
  ) {}

  /**
   * Opens `path`, one component after the other.
   * @throws when a component is missing (code ENOENT), a link or not a directory (code ELOOP or ENOTDIR).
   */
  static open(path: string, create?: FileRights): HeldDir {
    let dir = new HeldDir(openSync('/', DIRECTORY), '/');
    for (const name of path.split('/').filter(Boolean)) {
      using parent = dir;
      dir = parent.enter(name, create);
    }
    return dir;
  }

  /** A directory in this one; made, with these rights, when it is missing and `create` is given. */
  enter(name: string, create?: FileRights): HeldDir {
    const at = this.at(name);
    const path = `${this.path === '/' ? '' : this.path}/${name}`;
    try {
      return new HeldDir(openSync(at, DIRECTORY), path);
    } catch (error) {
      if (create && (error as NodeJS.ErrnoException).code === 'ENOENT') return this.make(name, create, path);
      throw notOpened(path, error);
    }
  }

  /** Gives a directory in this one to somebody, with a mode. @throws when it is missing, or a link */
  give(name: string, rights: FileRights): void {
    using inner = this.enter(name);
    give(inner.fd, rights);
  }

  /** Makes a directory with its rights at once, as `write` makes a file: a crash leaves none, or a whole one. */
  private make(name: string, rights: FileRights, path: string): HeldDir {
    const temporary = this.at(temporaryName(name));
    mkdirSync(temporary, { mode: 0o700 });
    const made = new HeldDir(openSync(temporary, DIRECTORY), path);
    try {
      give(made.fd, rights);
      renameSync(temporary, this.at(name));
    } catch (error) {
      made.close();
      rmdirSync(temporary);
      throw error;
    }
    this.flush();
    return made;
  }

  close(): void {
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  names(): string[] {
    return readdirSync(this.at('.')).sort();
  }

  /** lstat(2) of a name here; undefined when there is none. */
  stat(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  /** What a name here is; what is mounted on a directory stands on another device. */
  kindOf(name: string): PathKind {
    const stat = this.stat(name);
    if (stat === undefined) return 'none';
    if (stat.isSymbolicLink()) return readlinkSync(this.at(name)) === '/dev/null' ? 'mask' : 'link';
    if (stat.isFile()) return 'file';
    if (!stat.isDirectory()) return 'other';
    return stat.dev === fstatSync(this.fd).dev ? 'directory' : 'mount point';
  }

  /** A regular file here, held open for reading (`openFile` above). */
  openFile(name: string): HeldFile | undefined {
    return openFile(this.at(name), `${this.path}/${name}`);
  }

  /**
   * Puts a whole file here at once: a new file under a name nobody can guess, flushed, renamed over the old
   * one, the directory flushed. A crash leaves the old file or the new one.
   * @param temporary the name that it has until it is whole
   * @throws with the path, when it cannot be written, also when `temporary` is taken; the old file stays.
   */
  write(name: string, text: string, rights: FileRights, temporary = temporaryName(name)): void {
    this.named(`${name} cannot be written`, () => {
      this.removeLeftovers();
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const fd = openSync(this.at(temporary), flags, 0o600);
      try {
        const bytes = Buffer.from(text);
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
        give(fd, rights);
        renameSync(this.at(temporary), this.at(name));
      } catch (error) {
        if (this.stat(temporary) !== undefined) unlinkSync(this.at(temporary));
        throw error;
      } finally {
        closeSync(fd);
      }
      this.flush();
    });
  }

  /** What `act` throws begins with what it was about. */
  private named(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw Object.assign(new Error(`${this.path}/${what}: ${message.slice(0, 400)}`), { code });
    }
  }

  /** What writes that were cut off have left here: nobody else knows their names. */
  private removeLeftovers(): void {
    for (const name of this.names().filter((each) => TEMPORARY.test(each)))
      if (Date.now() - (this.stat(name)?.mtimeMs ?? Date.now()) > LEFT_AFTER_MS) this.removeAll(name);
  }

  /**
   * Moves a name into another held directory, both flushed. What is moved is never followed.
   * @throws when the new name is taken; nothing is moved then.
   */
  moveTo(name: string, target: HeldDir, newName: string): void {
    if (target.stat(newName) !== undefined)
      throw new Error(`${target.path}/${newName} is there already; ${this.path}/${name} is left where it is`);
    renameSync(this.at(name), target.at(newName));
    target.flush();
    this.flush();
  }

  /**
   * Removes a file or a tree here; a link is removed, not followed, also when somebody puts one there while we
   * are at it. Nothing there is nothing done.
   * @throws with the path, when it cannot be removed; a tree may be gone in part.
   */
  remove(name: string): void {
    this.named(name, () => this.removeAll(name));
  }

  private removeAll(name: string): void {
    const stat = this.stat(name);
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      using inner = this.enter(name);
      for (const entry of inner.names()) inner.removeAll(entry);
      rmdirSync(this.at(name));
    } else unlinkSync(this.at(name));
    this.flush();
  }

  private at(name: string): string {
    if (name === '' || name === '..' || name.includes('/') || name.includes('\0'))
      throw new Error(`${this.path}: "${name}" is not a name in a directory`);
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  private flush(): void {
    fsyncSync(this.fd);
  }
}
