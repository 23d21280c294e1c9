/** Everything that the Debian package lays, as data: what `heal-node install` lays, by the same table, and documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { layout, packagedPath } from '../../src/install/layout.ts';
import { EXECUTABLE } from '../../src/state/places.ts';
import { TOP } from '../compile.ts';
import type { Bundled } from '../sbom.ts';
import { manPage } from './man-page.ts';

export type PackageFile = { readonly path: string } & (
  | { readonly link: string }
  | { readonly content: Uint8Array; readonly mode: number }
);

export interface PackageOptions {
  /** As in package.json. */
  readonly version: string;
  /** Of what is packaged, in seconds since 1970. */
  readonly dateSec: number;
  /** The executable of the package's architecture, its bill of materials, and what is bundled into it. */
  readonly executable: string;
  readonly sbom: string;
  readonly bundled: readonly Bundled[];
  /** Runs on this machine, and prints the completions. */
  readonly runnable: string;
}

const DOC = '/usr/share/doc/heal-node';
/** What a person on a node reads; the links between them hold. */
const DOCUMENTS = [
  'README.md',
  'README.zh-CN.md',
  'docs/operator.md',
  'docs/operator.zh-CN.md',
  'docs/runbook.md',
  'docs/runbook.zh-CN.md',
  'docs/verdicts.md',
  'docs/json.md',
  'docs/security.md',
  'docs/glossary.md',
  'docs/packages.md',
  'docs/install.md',
  'docs/install.zh-CN.md',
  'docs/commands.md',
  'docs/settings.md',
  'docs/messages.md',
  'docs/report.md',
  'docs/metrics.md',
  'docs/monitoring.md',
];

/** Where each shell looks for the completions of a command. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: '/usr/share/bash-completion/completions/heal-node',
  zsh: '/usr/share/zsh/vendor-completions/_heal-node',
  fish: '/usr/share/fish/vendor_completions.d/heal-node.fish',
};

export const debianDir = join(TOP, 'scripts/package/debian');

const file = (path: string, content: string | Uint8Array, mode = 0o644): PackageFile => ({
  path,
  content: Buffer.from(content),
  mode,
});
/** As Debian Policy wants man pages and changelogs (12.1, 12.7): without a time, at the highest level. */
const packed = (path: string, text: string): PackageFile => file(`${path}.gz`, gzipSync(text, { level: 9 }));

const APACHE = 'On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.';

/** Licences ask for their texts to come with what they cover. */
function copyright(bundled: readonly Bundled[]): string {
  const texts = bundled.map(({ dir, name, version }) => {
    const licence = readdirSync(join(TOP, dir)).find((each) => /^(licen[cs]e|copying)/i.test(each));
    if (licence === undefined) throw new Error(`${dir} has no file with its licence`);
    const { license } = JSON.parse(readFileSync(join(TOP, dir, 'package.json'), 'utf8'));
    const text = license === 'Apache-2.0' ? APACHE : readFileSync(join(TOP, dir, licence), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const [rule, thin] = ['='.repeat(78), '-'.repeat(78)];
  return `heal-node, an etcd node on QingCloud AppCenter that comes back by itself

Copyright: the heal-node authors
License: Apache-2.0. ${APACHE}

The executable holds Bun (https://bun.com, MIT), which holds JavaScriptCore of WebKit (LGPL-2 and BSD-2-Clause; on Debian
systems the text of the first is in /usr/share/common-licenses/LGPL-2) and more: https://bun.com/docs/project/license
It also holds the packages below, each under its own licence. ${DOC}/sbom.cdx.json lists them all.

${rule}
${texts.join(`\n${thin}\n`)}`;
}

export const debianVersion = (version: string): string => `${version.replace('-', '~')}-1`;

const changelog = ({ version, dateSec }: PackageOptions, maintainer: string): string =>
  `heal-node (${debianVersion(version)}) stable; urgency=medium

  * ${version}: what has changed is in ${DOC}/changelog.gz.

 -- ${maintainer}  ${new Date(dateSec * 1000).toUTCString().replace('GMT', '+0000')}
`;

/** What `heal-node completion SHELL` prints; none where this build has no such command. */
async function completions(runnable: string): Promise<PackageFile[]> {
  const shells = Object.entries(COMPLETIONS).map(async ([shell, path]) => {
    const { exitCode, stdout } = await execa(runnable, ['completion', shell], { reject: false });
    return exitCode === 0 ? [file(path, `${stdout}\n`)] : [];
  });
  return (await Promise.all(shells)).flat();
}

export async function packageFiles(options: PackageOptions, maintainer: string): Promise<PackageFile[]> {
  const { version, dateSec, executable, sbom, bundled, runnable } = options;
  const laid = layout()
    // The link that enables the unit is made by deb-systemd-helper(1p), so that a person's `disable` stays.
    .filter((each) => !('anyTarget' in each))
    .map((each): PackageFile => {
      const path = packagedPath(each.path);
      return 'link' in each ? { path, link: each.link } : file(path, each.content, each.mode);
    });
  const day = new Date(dateSec * 1000).toISOString().slice(0, 10);
  return [
    file(EXECUTABLE, readFileSync(executable), 0o755),
    ...laid,
    packed('/usr/share/man/man1/heal-node.1', manPage(version, day)),
    ...(await completions(runnable)),
    ...DOCUMENTS.map((path) => file(`${DOC}/${path}`, readFileSync(join(TOP, path)))),
    packed(`${DOC}/changelog`, readFileSync(join(TOP, 'CHANGELOG.md'), 'utf8')),
    packed(`${DOC}/changelog.Debian`, changelog(options, maintainer)),
    file(`${DOC}/copyright`, copyright(bundled)),
    file(`${DOC}/sbom.cdx.json`, readFileSync(sbom)),
    file('/usr/share/lintian/overrides/heal-node', readFileSync(join(debianDir, 'lintian-overrides'))),
  ];
}
