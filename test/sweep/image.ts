import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A file's bytes without the zeros at its end, and its size: a log is preallocated to 64 MB. */
export interface FileImage {
  readonly bytes: Buffer;
  readonly size: number;
}

/** The files of a data dir by their path in it. It is changed by making another: the bytes are shared. */
export type Image = ReadonlyMap<string, FileImage>;

function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  for (const step of [1 << 16, 1]) {
    const zeros = Buffer.alloc(step);
    while (end >= step && bytes.subarray(end - step, end).equals(zeros)) end -= step;
  }
  // A record's padding is zeros too.
  return Buffer.from(bytes.subarray(0, Math.ceil(end / 512) * 512));
}

export const fileImage = (bytes: Buffer): FileImage => ({ bytes: withoutZeros(bytes), size: bytes.length });

export function readImage(dir: string): Image {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(dir, path)).isFile(),
  );
  // The next file of the log, which etcd makes anew at its start, is left out.
  const kept = paths.filter((path) => !path.endsWith('.tmp')).sort();
  return new Map(kept.map((path) => [path, fileImage(readFileSync(join(dir, path)))]));
}

/** Writes a data dir; what was there goes. */
export function writeImage(image: Image, dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  for (const folder of ['member/wal', 'member/snap'])
    mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 });
  for (const [path, { bytes, size }] of image) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    const fd = openSync(join(dir, path), 'w', 0o600);
    for (let done = 0; done < Math.min(bytes.length, size); )
      done += writeSync(fd, bytes, done, Math.min(bytes.length, size) - done);
    ftruncateSync(fd, size);
    closeSync(fd);
  }
}
