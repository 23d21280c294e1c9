import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EXECUTABLE } from '../state/places.ts';
import { type InstalledFile, layout } from './layout.ts';

/** Makes a new file under a name nobody can guess and renames it into place. */
function place(path: string, make: (temporary: string) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${randomBytes(12).toString('hex')}`;
  try {
    make(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Puts one file or link where it belongs, whole. @returns whether anything had to be changed */
function lay(path: string, laid: InstalledFile): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if ('link' in laid) {
    if (stat?.isSymbolicLink() && readlinkSync(path) === laid.link) return false;
    place(path, (temporary) => symlinkSync(laid.link, temporary));
    return true;
  }
  const content = typeof laid.content === 'string' ? Buffer.from(laid.content) : laid.content;
  if (stat !== undefined && laid.onlyIfMissing) return false;
  if (stat?.isFile() && stat.size === content.length && readFileSync(path).equals(content)) return false;
  place(path, (temporary) => {
    writeFileSync(temporary, content, { flag: 'wx', mode: laid.mode });
    chmodSync(temporary, laid.mode);
  });
  return true;
}

/**
 * Lays heal-node's files under `root` (`''` is this machine), again and again with the same result.
 * @returns the paths that were changed
 */
export function install(root: string, executable: string): string[] {
  const itself = { path: EXECUTABLE, content: readFileSync(executable), mode: 0o755 };
  return [itself, ...layout].filter((laid) => lay(`${root}${laid.path}`, laid)).map(({ path }) => path);
}
