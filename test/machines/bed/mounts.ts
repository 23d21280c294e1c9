import { readFileSync } from 'node:fs';

/** Something is mounted there (proc(5), /proc/mounts: the place is the second word). */
export const isMounted = (path: string): boolean =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === path);
