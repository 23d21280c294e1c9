/** Makes a Debian package of the files, with dpkg-deb(1): the same files and time make the same bytes. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { author } from '../../package.json';
import { layout } from '../../src/install/layout.ts';
import { debianDir, debianVersion, type PackageFile, type PackageOptions, packageFiles } from './files.ts';

export interface DebOptions extends PackageOptions {
  readonly arch: 'amd64' | 'arm64';
  /** Where the package is written. */
  readonly out: string;
  /** xz for a release, which Debian 11's dpkg can read; none is quick. */
  readonly compression: 'xz' | 'none';
}

export const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** A maintainer script, with the question whether a heal is unfinished where it asks it. */
export const maintainerScript = (name: string): string =>
  readFileSync(join(debianDir, name), 'utf8').replace(
    '#UNFINISHED#\n',
    readFileSync(join(debianDir, 'unfinished.sh'), 'utf8'),
  );

const md5 = (content: Uint8Array): string => createHash('md5').update(content).digest('hex');

const control = ({ version, arch }: DebOptions, sizeKib: number): string => `Package: heal-node
Version: ${debianVersion(version)}
Architecture: ${arch}
Maintainer: ${author}
Installed-Size: ${sizeKib}
Depends: libc6 (>= 2.17), systemd
Section: admin
Priority: optional
Description: brings an etcd node on QingCloud AppCenter back by itself
 heal-node finds out why an etcd member does not serve, and replaces one that
 can never come back with the data it has by a new member, while the others
 serve and every guard passes. AppCenter calls its hooks, and systemd asks it
 before each start of etcd. Installing, upgrading and removing the package
 starts, stops and changes no etcd.
`;

function put(root: string, each: PackageFile): void {
  const path = join(root, each.path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if ('link' in each) {
    symlinkSync(each.link, path);
  } else {
    writeFileSync(path, each.content);
    chmodSync(path, each.mode); // whatever the umask is
  }
}

/** @returns the files that are in it */
export async function makeDeb(options: DebOptions): Promise<readonly PackageFile[]> {
  const files = await packageFiles(options, author);
  const root = mkdtempSync(join(tmpdir(), 'heal-node-package-'));
  try {
    chmodSync(root, 0o755);
    const contents = files.flatMap((each) => ('content' in each ? [each] : []));
    const conffiles = layout().flatMap((each) => ('onlyIfMissing' in each ? [each.path] : []));
    const sizeKib = contents.reduce((sum, { content }) => sum + Math.ceil(content.length / 1024), 0);
    const sums = contents
      .filter(({ path }) => !conffiles.includes(path))
      .map(({ path, content }) => `${md5(content)}  ${path.slice(1)}\n`);
    const meta = (name: string, text: string, mode = 0o644): PackageFile => ({
      path: `DEBIAN/${name}`,
      content: Buffer.from(text),
      mode,
    });
    const all = [
      ...files,
      meta('control', control(options, sizeKib)),
      meta('conffiles', conffiles.map((path) => `${path}\n`).join('')),
      meta('md5sums', sums.join('')),
      ...SCRIPTS.map((name) => meta(name, maintainerScript(name), 0o755)),
    ];
    for (const each of all) put(root, each);
    await execa(
      'dpkg-deb',
      // At xz's usual level it is a tenth smaller, and takes four times as long.
      ['--root-owner-group', `-Z${options.compression}`, '-z1', '--build', root, options.out],
      { env: { SOURCE_DATE_EPOCH: String(options.dateSec) } },
    );
    return files;
  } finally {
    rmSync(root, { recursive: true });
  }
}
