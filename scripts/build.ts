/**
 * Compiles `dist/heal-node`, and nothing else is needed on a node. The Bun that runs this script is the runtime
 * without AVX2 that goes into the executable; `--arch arm64` takes the one of that architecture from npm.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { compile, TOP } from './compile.ts';

const arch = process.argv[process.argv.indexOf('--arch') + 1] === 'arm64' ? 'arm64' : 'x64';
const out = join(TOP, 'dist', arch === 'arm64' ? 'heal-node-arm64' : 'heal-node');

mkdirSync(join(TOP, 'dist'), { recursive: true });
rmSync(out, { force: true });
const runtime: string[] = [];
const unpacked = mkdtempSync(join(tmpdir(), 'heal-node-build-'));
if (arch === 'arm64') {
  const { version } = (await import('@oven/bun-linux-x64-baseline/package.json')) as { version: string };
  const packed = await execa('npm', ['pack', `@oven/bun-linux-aarch64@${version}`, '--silent'], {
    cwd: unpacked,
  });
  await execa('tar', ['-xzf', packed.stdout.trim()], { cwd: unpacked });
  runtime.push('--target=bun-linux-arm64', `--compile-executable-path=${join(unpacked, 'package/bin/bun')}`);
}

// Two entries and bytecode: the check's own is small, and the rest costs it nothing (docs/design.md, "The healthy check").
const { stdout: said } = await compile(['bin/heal-node.ts', 'bin/full.ts'], out, ...runtime);
if (!process.argv.includes('--quiet')) console.log(said);
rmSync(unpacked, { recursive: true });

interface Bom {
  readonly metadata: { readonly component: { name: string } };
  components: { readonly name: string; readonly properties?: readonly { readonly name: string }[] }[];
}
// What is in the executable: the dependencies, and the runtime, which npm counts among the tools.
const { stdout } = await execa('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], {
  cwd: TOP,
});
const bom = JSON.parse(stdout) as Bom;
bom.metadata.component.name = 'heal-node';
bom.components = bom.components.filter(
  ({ name, properties = [] }) =>
    name === '@oven/bun-linux-x64-baseline' ||
    !properties.some((property) => property.name === 'cdx:npm:package:development'),
);
writeFileSync(join(TOP, 'dist/sbom.cdx.json'), `${JSON.stringify(bom, null, 2)}\n`);
