/**
 * All the set-up that the other scripts need, on a bare Debian machine: npm packages, and as root the tools that
 * make machines (`--machines`) or judge packages (`--package`). Runs under whatever Node.js npm has, before anything is
 * installed, so it imports nothing. What is in place already is left alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** Programs, and the Debian package of each. */
const machineTools = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  ps: 'procps',
  nsenter: 'util-linux',
  flock: 'util-linux',
  jq: 'jq',
};
const packageTools = { lintian: 'lintian', mandoc: 'mandoc' };

const tools = {
  ...(process.argv.includes('--machines') ? machineTools : {}),
  ...(process.argv.includes('--package') ? packageTools : {}),
};
if (Object.keys(tools).length > 0) {
  const places = ['/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const missing = Object.keys(tools).filter((tool) => !places.some((dir) => existsSync(join(dir, tool))));
  if (missing.length > 0 && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) {
    const packages = [...new Set(missing.map((tool) => tools[tool]))];
    console.log(`Installing Debian packages: ${packages.join(' ')} …`);
    // Only the tools: whatever comes along must start no service on this machine (invoke-rc.d's policy layer).
    const policy = '/usr/sbin/policy-rc.d';
    const ours = !existsSync(policy);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...words) =>
      execFileSync('apt-get', ['-qq', ...words], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    try {
      apt('update');
      apt('install', '-y', '--no-install-recommends', ...packages);
    } finally {
      if (ours) execFileSync('rm', [policy]);
    }
  }
}
