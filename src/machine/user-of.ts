import type { Machine } from './machine.ts';

/** A user's ID and group, from /etc/passwd; root's for an empty name, undefined for one that is not there. */
export async function userOf(machine: Machine, name: string) {
  if (name === '' || name === 'root') return { uid: 0, gid: 0 };
  const passwd = (await machine.readFile('/etc/passwd'))?.text ?? '';
  const rows = passwd.split('\n').map((line) => line.split(':'));
  const row = rows.find(([user]) => user === name);
  return row && { uid: Number(row[2]), gid: Number(row[3]) };
}
