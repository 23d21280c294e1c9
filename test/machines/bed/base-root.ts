import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { sh } from './sh.ts';

/** The Debian releases that machines boot: systemd 247, 252 and 257. */
export const suites = ['bullseye', 'bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'etcd-server',
  'etcd-client',
  'iproute2',
  'curl',
  'jq',
  'procps',
  'openssh-server',
  'openssl',
];
const CACHE = '/var/cache/heal-node';

/** What is done to the fresh root: the distribution's own etcd unit goes, the app's places of etcd come. */
const SETUP = `set -e
version=$(chroot "$1" etcd --version | sed -n 's/etcd Version: //p')
mkdir -p "$1/opt/etcd/$version"
cp "$1/usr/bin/etcd" "$1/usr/bin/etcdctl" "$1/opt/etcd/$version/"
ln -s "$version" "$1/opt/etcd/current"
rm -f "$1/etc/init.d/etcd" "$1"/etc/rc*.d/*etcd "$1/lib/systemd/system/etcd.service" "$1/etc/systemd/system/etcd2.service" "$1"/etc/systemd/system/*.wants/etcd.service
rm -f "$1/etc/default/etcd" "$1/etc/hostname" "$1/etc/machine-id"
ln -sf /dev/null "$1/etc/systemd/system/console-getty.service"
ln -sf /dev/null "$1/etc/systemd/system/systemd-networkd-wait-online.service"
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim; do ln -sf /dev/null "$1/etc/systemd/system/$timer.timer"; done
# Root of every node has one key, which all let in (docs/platform.md); its sshd has a unit of the bed's own.
mkdir -p -m 0700 "$1/root/.ssh"
chroot "$1" ssh-keygen -q -t ed25519 -N '' -C '' -f /root/.ssh/id_ed25519
cp "$1/root/.ssh/id_ed25519.pub" "$1/root/.ssh/authorized_keys"
echo 'StrictHostKeyChecking no' >"$1/root/.ssh/config"
ln -sf /dev/null "$1/etc/systemd/system/ssh.service"
rm -rf "$1"/var/lib/etcd/* "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/*
`;

/** bookworm's etcd with the libraries that it was linked to, in place of bullseye's own 3.3, which is before the app's. */
const BORROW = `set -e
borrowed="$1/opt/etcd/borrowed"
mkdir -p "$borrowed"
cp -L "$2"/opt/etcd/current/etcd "$2"/opt/etcd/current/etcdctl "$borrowed/"
cp -L "$2"/lib/x86_64-linux-gnu/libc.so.6 "$2"/lib/x86_64-linux-gnu/libpthread.so.0 "$2"/lib/x86_64-linux-gnu/libresolv.so.2 "$2"/lib64/ld-linux-x86-64.so.2 "$borrowed/"
for program in etcd etcdctl; do
  chroot "$1" patchelf --set-interpreter /opt/etcd/borrowed/ld-linux-x86-64.so.2 --set-rpath /opt/etcd/borrowed "/opt/etcd/borrowed/$program"
done
ln -sfn borrowed "$1/opt/etcd/current"
`;

/** The machine's own apt sources with the suite replaced: the same mirrors, whatever release the host is. */
function sources(suite: Suite): string {
  const parts = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ].filter((path) => existsSync(path) && /\.(list|sources)$/.test(path));
  const texts = files.map((path) => readFileSync(path, 'utf8')).filter((text) => /debian/.test(text));
  const deb822 = texts.find((text) => /^Suites:/m.test(text));
  if (deb822 !== undefined) {
    return deb822.replace(/^(Suites:)(.*)$/gm, (_, key: string, suites: string) => {
      const renamed = suites
        .trim()
        .split(/\s+/)
        .map((named) => named.replace(/^[a-z]+/, suite));
      return `${key} ${renamed.join(' ')}`;
    });
  }
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => /^deb\s/.test(line));
  if (lines.length === 0) throw new Error('no Debian apt sources were found on this machine');
  return lines
    .map((line) => line.replace(/^(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)[a-z]+/, `$1${suite}`))
    .join('\n');
}

interface Recipe {
  readonly suite: Suite;
  readonly packages: readonly string[];
  readonly setup: string;
  /** Of another root that something is taken from. */
  readonly from: string;
}

async function recipeOf(suite: Suite, tell: (line: string) => void): Promise<Recipe> {
  if (suite !== 'bullseye') return { suite, packages: PACKAGES, setup: SETUP, from: '' };
  const from = await baseRoot(tell);
  return { suite, packages: [...PACKAGES, 'patchelf'], setup: SETUP + BORROW, from };
}

/**
 * The root that all machines boot from: made once by mmdebstrap, kept outside the checkout. Nothing is installed
 * or started on the host itself.
 */
export async function baseRoot(tell: (line: string) => void, suite: Suite = 'bookworm'): Promise<string> {
  const recipe = await recipeOf(suite, tell);
  const key = createHash('sha256')
    .update(`${suite} ${recipe.packages.join(' ')} ${recipe.setup}`)
    .digest('hex')
    .slice(0, 12);
  const path = join(CACHE, `${suite}-${key}`);
  if (existsSync(path)) return path;
  const release = await takeLock('/run/lock/heal-node-root', true);
  try {
    if (!existsSync(path)) await make(path, recipe, tell);
  } finally {
    await release?.();
  }
  return path;
}

async function make(
  path: string,
  { suite, packages, setup, from }: Recipe,
  tell: (line: string) => void,
): Promise<void> {
  tell(`Making the ${suite} root that the machines boot from, once (about half a minute) …`);
  mkdirSync(CACHE, { recursive: true });
  const making = join(CACHE, `making-${process.pid}`);
  rmSync(making, { recursive: true, force: true });
  const sourcesFile = `${making}.sources`;
  const setupFile = `${making}.sh`;
  const list = sources(suite);
  const named = /^Suites:/m.test(list) ? sourcesFile : `${making}.list`;
  writeFileSync(named, `${list}\n`);
  writeFileSync(setupFile, setup, { mode: 0o755 });
  try {
    const include = `--include=${packages.join(',')}`;
    await sh(
      'mmdebstrap',
      '--quiet',
      '--variant=minbase',
      include,
      `--customize-hook=sh ${setupFile} "$1" ${from}`,
      suite,
      making,
      named,
    );
    renameSync(making, path);
  } finally {
    rmSync(making, { recursive: true, force: true });
    for (const file of [named, setupFile]) rmSync(file, { force: true });
  }
}
