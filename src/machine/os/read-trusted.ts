import { openFile } from './held-dir.ts';
import { whyUntrusted } from './trust.ts';

/**
 * The text of a file that only root can have written, or undefined when there is none.
 * @throws when the file is a link, not a regular file, larger than 1 MiB, or writable by others than root.
 */
export function readTrusted(path: string): string | undefined {
  using file = openFile(path);
  const why = file && whyUntrusted(path, file.rights.uid, file.rights.mode);
  if (why !== undefined) throw new Error(why);
  return file?.whole(1 << 20).toString('utf8');
}
