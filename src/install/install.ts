import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
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
import { layout } from './layout.ts';

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

const sameFile = (path: string, content: Buffer): boolean => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === content.length && readFileSync(path).equals(content);
};

/**
 * Lays heal-node's files under `root` (`''` is this machine), again and again with the same result.
 * @returns the paths that were changed
 */
export function install(root: string, executable: string): string[] {
  const changed: string[] = [];
  const target = `${root}${EXECUTABLE}`;
  if (!sameFile(target, readFileSync(executable))) {
    place(target, (temporary) => {
      copyFileSync(executable, temporary);
      chmodSync(temporary, 0o755);
    });
    changed.push(EXECUTABLE);
  }
  for (const laid of layout) {
    const path = `${root}${laid.path}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if ('link' in laid) {
      if (stat?.isSymbolicLink() && readlinkSync(path) === laid.link) continue;
      place(path, (temporary) => symlinkSync(laid.link, temporary));
    } else {
      if (stat !== undefined && (laid.onlyIfMissing || sameFile(path, Buffer.from(laid.text)))) continue;
      place(path, (temporary) => {
        writeFileSync(temporary, laid.text, { flag: 'wx', mode: laid.mode });
        chmodSync(temporary, laid.mode);
      });
    }
    changed.push(laid.path);
  }
  return changed;
}
