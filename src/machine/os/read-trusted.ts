import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { whyUntrusted } from './trust.ts';

/**
 * The text of a file that only root can have written, or undefined when there is none.
 * @throws when the file is a link, not a regular file, larger than `maxBytes`, or writable by others than root.
 */
export function readTrusted(path: string, maxBytes = 1 << 20): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP') throw new Error(`${path} is a link; a regular file of root's is needed there.`);
    throw error;
  }
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error(`${path} is not a regular file.`);
    const why = whyUntrusted(path, uid, mode);
    if (why !== undefined) throw new Error(why);
    if (size > maxBytes) throw new Error(`${path} has ${size} bytes; ${maxBytes} are allowed.`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
