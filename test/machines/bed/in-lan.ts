import { join } from 'node:path';
import { execa } from 'execa';
import type { Slot } from './slot.ts';

/** Runs a script of ours in the machines' network, beside them, and tells every line that it prints as it comes. */
export function inLan(slot: Slot, script: string, words: readonly string[], onLine: (line: string) => void) {
  const child = execa('ip', ['netns', 'exec', slot.lan, process.execPath, script, ...words], {
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) onLine(line);
  });
  return child;
}

/** A script of the bed. */
export const bedScript = (name: string): string => join(import.meta.dirname, name);
