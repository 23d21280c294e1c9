/**
 * All the set-up that the other scripts need, on a bare Debian machine: npm packages, and as root the tools that
 * make machines (`--machines`) or judge packages (`--package`). Runs under whatever Node.js npm has, before anything is
 * installed, so it imports nothing. What is in place already is left alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');
const stamp = join(top, 'node_modules/.heal-node-lock');
const lock = readFileSync(join(top, 'package-lock.json'), 'utf8');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('Installing npm packages …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: top,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(stamp, lock);
}

// npm puts this directory into the path of its scripts: there `bun` is the runtime that also goes into the executable.
const link = join(top, 'node_modules/.bin/bun');
if (!existsSync(link)) symlinkSync('../@oven/bun-linux-x64-baseline/bin/bun', link);

/** What keeps services from being started (invoke-rc.d's policy layer), and ours, as a killed set-up has left it. */
const policy = '/usr/sbin/policy-rc.d';
const OURS = '#!/bin/sh\n# heal-node, scripts/setup.mjs: gone when it has ended\nexit 101\n';
if (process.getuid() === 0 && existsSync(policy) && readFileSync(policy, 'utf8') === OURS) rmSync(policy);

/** Programs, and the Debian package of each. */
const machineTools = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  ps: 'procps',
  nsenter: 'util-linux',
  flock: 'util-linux',
  setpriv: 'util-linux',
  'mkfs.ext4': 'e2fsprogs',
  jq: 'jq',
  mandoc: 'mandoc',
  strace: 'strace',
};
const packageTools = { lintian: 'lintian', mandoc: 'mandoc' };

const tools = {
  ...(process.argv.includes('--machines') ? machineTools : {}),
  ...(process.argv.includes('--package') ? packageTools : {}),
};
if (Object.keys(tools).length > 0) {
  const places = ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const isMissing = (tool) => !places.some((dir) => existsSync(join(dir, tool)));
  const missing = Object.keys(tools).filter(isMissing);
  const canInstall = process.getuid() === 0 && existsSync('/usr/bin/apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...words) =>
    execFileSync('apt-get', ['-qq', ...words], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (missing.length > 0 && canInstall) {
    const packages = [...new Set(missing.map((tool) => tools[tool]))];
    console.log(`Installing Debian packages: ${packages.join(' ')} …`);
    // Only the tools: whatever comes along must start no service on this machine.
    const ours = !existsSync(policy);
    if (ours) writeFileSync(policy, OURS, { mode: 0o755 });
    try {
      apt('update');
      apt('install', '-y', '--no-install-recommends', ...packages);
    } finally {
      if (ours) rmSync(policy, { force: true });
    }
  }
  // Of the package with Prometheus, which would come with a service, this program alone. What needs it says so where it
  // could not be had.
  if (isMissing('promtool') && canInstall) {
    console.log('Fetching promtool from the Debian package prometheus …');
    const dir = mkdtempSync(join(tmpdir(), 'heal-node-promtool-'));
    try {
      if (missing.length === 0) apt('update');
      const unpack =
        'apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | ' +
        'tar -x -C /usr/local/bin --strip-components=3 ./usr/bin/promtool';
      execFileSync('sh', ['-c', unpack], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
    } catch (error) {
      console.error(`promtool could not be fetched: ${error.message}`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
}
