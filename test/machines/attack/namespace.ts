import { join } from 'node:path';
import { execa } from 'execa';

/** Namespaces of its own: its network, its processes, of which it is the first, and its mounts. */
const OWN = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * Runs `inside.ts` in namespaces of its own, where etcd's parent is process 1, as under systemd, and journald is its
 * own. All that was started there ends with it.
 * @returns what it printed, as JSON
 */
export async function inside<T>(...words: readonly string[]): Promise<T> {
  const script = join(import.meta.dirname, 'inside.ts');
  const { stdout } = await execa('unshare', [...OWN, '--', process.execPath, script, ...words], {
    stdin: 'ignore',
    maxBuffer: 256 << 20,
  });
  return JSON.parse(stdout) as T;
}
