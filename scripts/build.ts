/**
 * Compiles `dist/heal-node`, and nothing else is needed on a node. The Bun that runs this script is the runtime
 * without AVX2 that goes into the executable; `--arch arm64` takes the one of that architecture from npm.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { compile, TOP } from './compile.ts';
import { billOfMaterials, bundledPackages, type Metafile } from './sbom.ts';

export const architectures = ['x64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

const ARM64_RUNTIME = '@oven/bun-linux-aarch64';

/** What a build makes of an architecture. */
export const built = (arch: Architecture) => {
  const suffix = arch === 'x64' ? '' : `-${arch}`;
  return {
    executable: join(TOP, `dist/heal-node${suffix}`),
    sbom: join(TOP, `dist/sbom${suffix}.cdx.json`),
  };
};

/** The runtime of the other architecture, unpacked below a directory. */
async function arm64Runtime(dir: string) {
  const { version } = (await import('@oven/bun-linux-x64-baseline/package.json')) as { version: string };
  const { stdout } = await execa('npm', ['pack', '--json', `${ARM64_RUNTIME}@${version}`], { cwd: dir });
  const [packed] = JSON.parse(stdout) as { filename: string; integrity: string }[];
  if (packed === undefined) throw new Error(`npm pack of ${ARM64_RUNTIME} has made nothing`);
  await execa('tar', ['-xzf', packed.filename], { cwd: dir });
  return { name: ARM64_RUNTIME, integrity: packed.integrity, path: join(dir, 'package/bin/bun') };
}

/** Makes executable and bill of materials anew. @returns what the compiler said, and what is in the executable */
export async function build(arch: Architecture) {
  const { executable, sbom } = built(arch);
  mkdirSync(join(TOP, 'dist'), { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'heal-node-build-'));
  try {
    const runtime = arch === 'arm64' ? await arm64Runtime(dir) : undefined;
    const metafile = join(dir, 'meta.json');
    const target = runtime && ['--target=bun-linux-arm64', `--compile-executable-path=${runtime.path}`];
    // Two entries and bytecode: the check's own is small, and the rest costs it nothing (docs/design.md, "The healthy check").
    const entries = ['bin/heal-node.ts', 'bin/full.ts'];
    // The name that it is made under is in it.
    const made = join(dir, 'heal-node');
    const { stdout } = await compile(entries, made, `--metafile=${metafile}`, ...(target ?? []));
    const meta = JSON.parse(readFileSync(metafile, 'utf8')) as Metafile;
    writeFileSync(sbom, `${JSON.stringify(await billOfMaterials(meta, runtime), null, 2)}\n`);
    rmSync(executable, { force: true });
    await execa('mv', [made, executable]);
    return { said: stdout, bundled: bundledPackages(meta) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { arch: { type: 'string', default: 'x64' }, quiet: { type: 'boolean' } },
  });
  const arch = architectures.find((each) => each === values.arch);
  if (arch === undefined) {
    console.error(
      `build: --arch ${values.arch} is not allowed; allowed is one of ${architectures.join(', ')}.`,
    );
    process.exit(2);
  }
  const { said } = await build(arch);
  if (!values.quiet) console.log(said);
}
