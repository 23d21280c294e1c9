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
import { type InstalledFile, layout, packagedPath } from './layout.ts';

/** Whether a file or link stands under `root` as it is to be: where install lays it, else where the package has it. */
function isLaid(root: string, laid: InstalledFile): boolean {
  const own = `${root}${laid.path}`;
  const path = lstatSync(own, { throwIfNoEntry: false }) ? own : `${root}${packagedPath(laid.path)}`;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if ('link' in laid)
    return stat?.isSymbolicLink() === true && (laid.anyTarget || readlinkSync(path) === laid.link);
  if (stat !== undefined && laid.onlyIfMissing) return true;
  const content = Buffer.from(laid.content);
  return stat?.isFile() === true && stat.size === content.length && readFileSync(path).equals(content);
}

/** What install lays, without the executable itself, and is not there as it is to be. */
export const notLaid = (): string[] => layout.filter((laid) => !isLaid('', laid)).map(({ path }) => path);

/** Puts one file or link where it belongs, whole: made under a name that nobody can guess, and renamed into place. */
function lay(path: string, laid: InstalledFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${randomBytes(12).toString('hex')}`;
  try {
    if ('link' in laid) symlinkSync(laid.link, temporary);
    else {
      writeFileSync(temporary, laid.content, { flag: 'wx', mode: laid.mode });
      chmodSync(temporary, laid.mode);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Lays heal-node's files under `root` (`''` is this machine), again and again with the same result.
 * @returns the paths that were changed
 */
export function install(root: string, executable: string): string[] {
  const itself = { path: EXECUTABLE, content: readFileSync(executable), mode: 0o755 };
  const changed = [itself, ...layout].filter((laid) => !isLaid(root, laid));
  for (const laid of changed) lay(`${root}${laid.path}`, laid);
  return changed.map(({ path }) => path);
}
