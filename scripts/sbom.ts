/** The bill of materials of an executable (CycloneDX): what the bundler has put into it, and the runtime. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { TOP } from './compile.ts';
import { sourceDateSec } from './source-date.ts';

/** What Bun writes about a bundle (`--metafile`). */
export interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
}

interface Component {
  name: string;
  version: string;
  purl: string;
  'bom-ref': string;
  readonly licenses?: readonly { readonly license: { readonly id: string } }[];
  properties?: readonly unknown[];
  hashes?: readonly { readonly alg: string; readonly content: string }[];
}

export interface Bom {
  readonly metadata: { timestamp: string; readonly component: Component };
  serialNumber?: string;
  components: Component[];
  dependencies: { readonly ref: string; dependsOn: string[] }[];
}

/** The runtime that is a package of this checkout; another architecture's differs in name and content. */
export const RUNTIME = '@oven/bun-linux-x64-baseline';

/** A package in the tree of node_modules. */
export interface Bundled {
  /** From the top of the checkout. */
  readonly dir: string;
  readonly name: string;
  readonly version: string;
}

/** The packages of which the bundle has files, by name. */
export function bundledPackages({ inputs }: Metafile): Bundled[] {
  const dirs = Object.keys(inputs).flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []);
  return [...new Set(dirs)].sort().map((dir) => {
    const { name, version } = JSON.parse(readFileSync(join(TOP, dir, 'package.json'), 'utf8')) as Bundled;
    return { dir, name, version };
  });
}

/** @param runtime the runtime's package and its sha512 as npm has it, where it is not this checkout's own */
export async function billOfMaterials(
  meta: Metafile,
  runtime?: { readonly name: string; readonly integrity: string },
): Promise<Bom> {
  const words = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { stdout } = await execa('npm', words, { cwd: TOP });
  const bom = JSON.parse(stdout) as Bom;
  bom.metadata.component.name = 'heal-node'; // npm takes the checkout's directory.
  bom.metadata.timestamp = new Date((await sourceDateSec()) * 1000).toISOString();
  delete bom.serialNumber; // A new one each time; the format wants none.
  const bundled = new Set(bundledPackages(meta).map(({ name, version }) => `${name}@${version}`));
  bom.components = bom.components.filter(
    ({ name, version }) => name === RUNTIME || bundled.has(`${name}@${version}`),
  );
  for (const each of bom.components) if (each.name === RUNTIME) each.properties = []; // To npm it is a tool.
  const refs = new Set([bom.metadata.component, ...bom.components].map((each) => each['bom-ref']));
  bom.dependencies = bom.dependencies.filter(({ ref }) => refs.has(ref));
  for (const each of bom.dependencies) each.dependsOn = each.dependsOn.filter((ref) => refs.has(ref));
  if (runtime === undefined) return bom;
  const content = Buffer.from(runtime.integrity.replace('sha512-', ''), 'base64').toString('hex');
  // Without the @, which is another one in a package URL.
  const text = JSON.stringify(bom).replaceAll(RUNTIME.slice(1), runtime.name.slice(1));
  const other = JSON.parse(text) as Bom;
  for (const each of other.components)
    if (each.name === runtime.name) each.hashes = [{ alg: 'SHA-512', content }];
  return other;
}
