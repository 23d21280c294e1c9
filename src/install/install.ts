import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { APP_CTL_ORIGINAL } from '../appcenter/ctl.ts';
import { attempt } from '../machine/attempt.ts';
import { SETTINGS_FILE } from '../settings/parse-settings.ts';
import { EXECUTABLE } from '../state/places.ts';
import { BIN, GATE_DIR, type InstalledFile, layout, packagedPath, shim } from './layout.ts';

/** Whether a file or link stands under `root` as it is to be: where install lays it, else where the package has it. */
function isLaid(root: string, laid: InstalledFile): boolean {
  const own = `${root}${laid.path}`;
  const path = lstatSync(own, { throwIfNoEntry: false }) ? own : `${root}${packagedPath(laid.path)}`;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if ('link' in laid)
    return stat?.isSymbolicLink() === true && (laid.anyTarget || readlinkSync(path) === laid.link);
  if (stat !== undefined && laid.onlyIfMissing) return true;
  const content = Buffer.from(laid.content);
  // Whoever can write it could have root run it.
  const isRoots = stat?.isFile() === true && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
  return isRoots && stat.size === content.length && readFileSync(path).equals(content);
}

/** What install lays, without the executable itself, and is not there as it is to be: the shim where it has been laid. */
export const notLaid = (): string[] =>
  [...layout(), ...(existsSync(APP_CTL_ORIGINAL) ? [shim] : [])]
    .filter((laid) => !isLaid('', laid))
    .map(({ path }) => path);

/** Puts one file or link where it belongs, whole: made under a name that nobody can guess, and renamed into place. */
function lay(path: string, laid: InstalledFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${randomBytes(12).toString('hex')}`;
  try {
    if ('link' in laid) symlinkSync(laid.link, temporary);
    else {
      // An executable that a power loss has left empty would be one that is content with everything.
      writeFileSync(temporary, laid.content, { flag: 'wx', mode: laid.mode, flush: true });
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
  const changed = [itself, ...layout()].filter((laid) => !isLaid(root, laid));
  for (const laid of changed) lay(`${root}${laid.path}`, laid);
  return changed.map(({ path }) => path);
}

/**
 * Puts a link to heal-node in the place of the app's script, which stays beside it; the name is never without one of them.
 * Of a script that an upgrade of the app has put there since, the same.
 * @returns the paths that were changed
 * @throws when the app's script is not there
 */
export function installShim(root: string): string[] {
  if (isLaid(root, shim)) return [];
  const temporary = `${root}${APP_CTL_ORIGINAL}.${randomBytes(12).toString('hex')}`;
  linkSync(`${root}${shim.path}`, temporary);
  renameSync(temporary, `${root}${APP_CTL_ORIGINAL}`);
  rmSync(temporary, { force: true }); // two names of one file: renaming does nothing (rename(2))
  lay(`${root}${shim.path}`, shim);
  return [shim.path];
}

const CALLERS = ['/etc/crontab', '/etc/cron.d', '/var/spool/cron', '/etc/systemd/system', '/opt/app/bin'];
const BY_SHELL = /\b(ba|da)?sh +(-[a-z]+ +)*\/opt\/app\/bin\/ctl\.sh\b/;

/** The files that have a shell read the app's script: one that is a link to an executable it refuses (bash: general.c). */
export const shellCallers = (root: string): string =>
  `${spawnSync('grep', ['-rIlsP', BY_SHELL.source, ...CALLERS.map((path) => root + path)]).stdout ?? ''}`.trim();

/** Takes back what install has laid, but for the settings, and puts the app's script back. @returns what is gone */
export function uninstall(): string[] {
  if (isLaid('', shim)) renameSync(APP_CTL_ORIGINAL, shim.path);
  // Behind another link, or nothing, it is the only one.
  else if (lstatSync(shim.path, { throwIfNoEntry: false })?.isFile())
    rmSync(APP_CTL_ORIGINAL, { force: true });
  const gone = [EXECUTABLE, ...layout().map(({ path }) => path)].filter((path) => path !== SETTINGS_FILE);
  for (const path of gone) rmSync(path, { force: true });
  for (const dir of [GATE_DIR, BIN, dirname(BIN)]) attempt(() => rmdirSync(dir)); // others may have files there
  return gone;
}
