import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../bench/results.ts';
import { baseRoot } from '../bed/base-root.ts';
import { sh, trySh } from '../bed/sh.ts';

const TOP = join(import.meta.dirname, '../../..');
/** What the bench writes changes nothing that it measures. */
const WRITTEN = ['md', 'svg'].map((kind) => `:!${join('docs', `bench.${kind}`)}`);

export async function hostFacts(tell: (line: string) => void): Promise<Host> {
  const root = await baseRoot(tell);
  const version = async (pattern: RegExp, ...words: readonly string[]): Promise<string> =>
    pattern.exec(await sh('chroot', root, ...words))?.[1] ?? 'unknown';
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    etcd: await version(/etcd Version: (\S+)/, '/opt/etcd/current/etcd', '--version'),
    systemd: await version(/^systemd (\d+)/, 'systemctl', '--version'),
  };
}

/** The commit that is checked out, and whether anything that is measured differs from it. */
export async function commitHere(): Promise<string> {
  const git = (...words: readonly string[]) => trySh('git', '-C', TOP, ...words);
  const commit = (await git('rev-parse', '--short', 'HEAD')) ?? 'unknown';
  return (await git('status', '--porcelain', '--', '.', ...WRITTEN)) ? `${commit}, changed` : commit;
}
