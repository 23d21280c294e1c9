import { mkdirSync } from 'node:fs';
import { execa } from 'execa';

const LOCK = '/run/lock/heal-node-bed';

/**
 * Waits for the bed's lock, so that two runs on one machine do not meet. It is held by a child that ends with
 * us, however we end: its standard input closes.
 */
export async function takeLock(tell: (line: string) => void): Promise<() => Promise<void>> {
  mkdirSync('/run/lock', { recursive: true });
  const child = execa('flock', [LOCK, 'sh', '-c', 'echo held; cat >/dev/null'], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
  });
  let waited = false;
  const notice = setTimeout(() => {
    waited = true;
    tell(`Another run holds ${LOCK}; waiting for it …`);
  }, 2000);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  clearTimeout(notice);
  if (waited) tell('The other run has ended.');
  return async () => {
    child.stdin.end();
    await child;
  };
}
