import type { Machine } from './machine.ts';

/** A user's ID and group, from /etc/passwd; root's for an empty name, undefined for one that is not there. */
export async function userOf(
  machine: Machine,
  name: string,
): Promise<{ uid: number; gid: number } | undefined> {
  if (name === '' || name === 'root') return { uid: 0, gid: 0 };
  const passwd = (await machine.readFile('/etc/passwd'))?.text ?? '';
  const row = passwd
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
  return row && { uid: Number(row[2]), gid: Number(row[3]) };
}
