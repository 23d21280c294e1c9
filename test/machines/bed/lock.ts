import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';

export type Release = () => Promise<void>;

/**
 * Takes a lock that two runs on one machine must not hold at the same time. A child holds it, and the child ends
 * with us, however we end: its standard input closes.
 *
 * @returns how to give it back; undefined when somebody else holds it and `waits` is false
 */
export async function takeLock(path: string, waits: boolean): Promise<Release | undefined> {
  mkdirSync(dirname(path), { recursive: true });
  const child = execa('flock', [...(waits ? [] : ['-n']), path, 'sh', '-c', 'echo held; cat >/dev/null'], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
  });
  const held = await Promise.race([
    new Promise<boolean>((resolve) => child.stdout.once('data', () => resolve(true))),
    child.then(() => false),
  ]);
  if (!held) return undefined;
  return async () => {
    child.stdin.end();
    await child;
  };
}
