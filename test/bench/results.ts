import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Found } from './figures.ts';

/** What figures hang on besides the code. */
export interface Host {
  readonly cores: number;
  readonly processor: string;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly etcd: string;
  readonly systemd: string;
}

/** How a part ended, and when. */
export interface Result {
  readonly endedAt: string;
  readonly tookMs: number;
  /** The words that it was asked for with. */
  readonly words: string;
  /** Of the host over the last minute, when it began: above its cores, others were at work on it. */
  readonly load: number;
  readonly found?: Found;
  readonly failed?: string;
}

/** All that has been found with one commit on one machine, by part. */
export interface Results {
  readonly commit: string;
  readonly host: Host;
  readonly parts: Readonly<Record<string, Result>>;
}

const sameHost = (a: Host, b: Host): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What earlier runs have found with this commit on this machine; what others have found does not count. */
export function readResults(path: string, commit: string, host: Host): Results {
  const none: Results = { commit, host, parts: {} };
  if (!existsSync(path)) return none;
  const kept = JSON.parse(readFileSync(path, 'utf8')) as Results;
  return kept.commit === commit && sameHost(kept.host, host) ? kept : none;
}

/** The results with one more; what the part has found before is replaced. */
export const withResult = (results: Results, name: string, result: Result): Results => ({
  ...results,
  parts: { ...results.parts, [name]: result },
});

export function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}
