/**
 * `npm run release:check`: makes everything that is released, once here and once in a fresh copy of the last commit,
 * and says in one table whether it may be released. Exits with 1 where something is not as it must be.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { version } from '../package.json';
import { architectures, built } from './build.ts';
import { TOP } from './compile.ts';
import { debianVersion } from './package/files.ts';
import { debOf, lintian, makePackage, released, SUMS, sha256, sumsOf } from './package.ts';
import type { Bom } from './sbom.ts';
import { sourceDateSec } from './source-date.ts';

interface Check {
  readonly id: string;
  readonly asks: string;
  /** What is wrong, and what to do; empty when all is well. */
  readonly finds: () => Promise<string>;
}

const read = (path: string): string => readFileSync(join(TOP, path), 'utf8');
const run = (program: string, ...words: readonly string[]) =>
  execa(program, words, { cwd: TOP, reject: false });

/** The checksums of all that a fresh copy of the last commit makes, with its own npm packages, below another directory. */
async function sumsOfFreshCopy(): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'heal-node-release-check-'));
  try {
    await execa('sh', ['-c', 'git archive HEAD | tar -x -C "$1"', 'sh', copy], { cwd: TOP });
    await execa('node', ['scripts/setup.mjs'], { cwd: copy, stdout: 'ignore' });
    // The copy has no history to take the time from; what lintian finds is told of the packages here.
    await execa('node_modules/.bin/bun', [join(copy, 'scripts/package.ts')], {
      cwd: copy,
      env: { SOURCE_DATE_EPOCH: String(await sourceDateSec()) },
      reject: false,
    });
    return readFileSync(join(copy, 'dist', basename(SUMS)), 'utf8');
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** What npm has locked, as `name@version`. */
const locked = (): Set<string> =>
  new Set(
    Object.entries(JSON.parse(read('package-lock.json')).packages as Record<string, { version: string }>).map(
      ([path, entry]) => `${path.replace(/^.*node_modules\//, '')}@${entry.version}`,
    ),
  );

const wrongIn = (sbom: string): string[] => {
  const { metadata, components, dependencies } = JSON.parse(readFileSync(sbom, 'utf8')) as Bom;
  const known = locked();
  const refs = new Set([metadata.component, ...components].map((each) => each['bom-ref']));
  return [
    ...(metadata.component.version === version ? [] : [`it is of ${metadata.component.version}`]),
    ...components
      .filter(({ name, version: its }) => !known.has(`${name}@${its}`) && !name.startsWith('@oven/'))
      .map(({ name, version: its }) => `${name} ${its} is not locked`),
    ...components.filter(({ licenses }) => !licenses?.length).map(({ name }) => `${name} has no licence`),
    ...dependencies
      .flatMap(({ ref, dependsOn }) => [ref, ...dependsOn])
      .filter((ref) => !refs.has(ref))
      .map((ref) => `${ref} is not described`),
  ];
};

const inPackage = (deb: string): Promise<string> =>
  execa('sh', [
    '-c',
    'dpkg-deb --fsys-tarfile "$1" | tar -xO ./opt/heal-node/bin/heal-node | sha256sum | cut -d" " -f1',
    'sh',
    deb,
  ]).then(({ stdout }) => stdout);

const checks: readonly Check[] = [
  {
    id: 'tree',
    asks: 'Is everything committed?',
    finds: async () => {
      const { stdout } = await run('git', 'status', '--porcelain');
      return stdout && `${stdout.split('\n').length} files are not; commit or remove them`;
    },
  },
  {
    id: 'version',
    asks: 'Do package.json, the lock file and the top of CHANGELOG.md have one version?',
    finds: async () => {
      const lock = JSON.parse(read('package-lock.json')).version;
      // What comes next may have its heading already; with anything below it, it is not released.
      const [, top = 'none'] = /^## (?:Unreleased\s+## )?\[?([^\]\s]+)/m.exec(read('CHANGELOG.md')) ?? [];
      return lock === version && top === version
        ? ''
        : `package.json has ${version}, package-lock.json ${lock}, CHANGELOG.md ${top}; make them one`;
    },
  },
  {
    id: 'executable',
    asks: 'Does the executable run here, and have that version?',
    finds: async () => {
      const { stdout } = await run(built('x64').executable, '--version');
      return stdout === version ? '' : `it says ${stdout || 'nothing'}`;
    },
  },
  {
    id: 'packages',
    asks: 'Has each package that version, and the executable of its architecture?',
    finds: async () => {
      const wrong: string[] = [];
      for (const arch of architectures) {
        const { stdout } = await run('dpkg-deb', '--field', debOf(arch), 'Version');
        if (stdout !== debianVersion(version)) wrong.push(`${debOf(arch)} has version ${stdout}`);
        if ((await inPackage(debOf(arch))) !== sha256(built(arch).executable))
          wrong.push(`${debOf(arch)} has another executable than ${built(arch).executable}`);
      }
      return wrong.join('; ');
    },
  },
  {
    id: 'lintian',
    asks: 'Does lintian find no errors in them?',
    finds: async () => {
      const judged = await Promise.all(architectures.map((arch) => lintian(debOf(arch))));
      return judged.flatMap(({ ok, said }) => (ok ? [] : [said])).join('\n');
    },
  },
  {
    id: 'sbom',
    asks: 'Is everything in the bills of materials locked, licensed and described?',
    finds: async () => architectures.flatMap((arch) => wrongIn(built(arch).sbom)).join('; '),
  },
  {
    id: 'checksums',
    asks: `Does ${basename(SUMS)} name every package that is in dist/?`,
    finds: async () => {
      const named = readFileSync(SUMS, 'utf8')
        .split('\n')
        .map((line) => line.split('  ')[1]);
      const others = readdirSync(dirname(SUMS)).filter(
        (name) => name.endsWith('.deb') && !named.includes(name),
      );
      return others.length === 0 ? '' : `${others.join(', ')}, of another version; remove them`;
    },
  },
  {
    id: 'reproducible',
    asks: 'Does a fresh copy of the last commit, with npm packages of its own, make the same bytes of all of it?',
    finds: async () => {
      const fresh = new Set((await sumsOfFreshCopy()).split('\n'));
      const differ = readFileSync(SUMS, 'utf8')
        .split('\n')
        .filter((line) => !fresh.has(line));
      return differ.length === 0 ? '' : `not of ${differ.map((line) => line.split('  ')[1]).join(', ')}`;
    },
  },
];

console.log('Making all that is released; this takes some minutes …');
for (const arch of [...architectures].reverse()) await makePackage(arch);
writeFileSync(SUMS, sumsOf(released));
let failed = 0;
for (const { id, asks, finds } of checks) {
  const found = await finds().catch((error: Error) => error.message);
  if (found !== '') failed++;
  console.log(`  ${found === '' ? 'ok  ' : 'FAIL'}  ${id.padEnd(12)}  ${found || asks}`);
}
console.log(`\n${readFileSync(SUMS, 'utf8')}\n${checks.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
