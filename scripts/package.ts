/** `npm run package`: the Debian packages in dist/, of both architectures unless told, judged by lintian, and their checksums. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { version } from '../package.json';
import { type Architecture, architectures, build, built } from './build.ts';
import { TOP } from './compile.ts';
import { makeDeb } from './package/deb.ts';
import { debianVersion } from './package/files.ts';
import { sourceDateSec } from './source-date.ts';

const debianArch = { x64: 'amd64', arm64: 'arm64' } as const;

export const debOf = (arch: Architecture): string =>
  join(TOP, `dist/heal-node_${debianVersion(version)}_${debianArch[arch]}.deb`);

export const SUMS = join(TOP, 'dist/SHA256SUMS');

/** What is released, of both architectures. */
export const released = architectures.flatMap((arch) => [debOf(arch), ...Object.values(built(arch))]);

/** Builds everything for an architecture. @returns the package's path */
export async function makePackage(arch: Architecture): Promise<string> {
  const { bundled } = await build(arch);
  if (arch !== 'x64') await build('x64'); // It runs here, and prints the completions.
  const out = debOf(arch);
  await makeDeb({
    version,
    dateSec: await sourceDateSec(),
    arch: debianArch[arch],
    out,
    compression: 'xz',
    ...built(arch),
    bundled,
    runnable: built('x64').executable,
  });
  return out;
}

/** What lintian says of a package; errors make `ok` false. */
export async function lintian(deb: string): Promise<{ readonly ok: boolean; readonly said: string }> {
  const words = ['--fail-on=error', deb];
  // It warns on standard error that root should not run it.
  const ran = await execa('lintian', words, { reject: false });
  const ok = ran.exitCode === 0;
  return { ok, said: ran.stdout || (ok ? '' : String(ran.shortMessage)) };
}

export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** As sha256sum(1) writes and checks them. */
export const sumsOf = (paths: readonly string[]): string =>
  paths.map((path) => `${sha256(path)}  ${basename(path)}\n`).join('');

if (import.meta.main) {
  const { values } = parseArgs({ options: { arch: { type: 'string' } } });
  const asked = architectures.filter((each) => [debianArch[each], undefined].includes(values.arch as never));
  if (asked.length === 0) {
    const allowed = Object.values(debianArch).join(', ');
    console.error(`package: --arch ${values.arch} is not allowed; allowed is one of ${allowed}.`);
    process.exit(2);
  }
  let ok = true;
  for (const arch of asked) {
    const deb = await makePackage(arch);
    const { ok: judged, said } = await lintian(deb);
    ok &&= judged;
    console.log(`${deb}\n${said}${judged ? 'lintian: no errors' : 'lintian: errors'}`);
  }
  const paths = asked.flatMap((arch) => [debOf(arch), ...Object.values(built(arch))]);
  writeFileSync(SUMS, sumsOf(paths));
  process.exit(ok ? 0 : 1);
}
