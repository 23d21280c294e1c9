import { existsSync } from 'node:fs';

const TOOLS = [
  { program: 'systemd-nspawn', package: 'systemd-container' },
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'ip', package: 'iproute2' },
  { program: 'nsenter', package: 'util-linux' },
  { program: 'flock', package: 'util-linux' },
];

const onPath = (program: string): boolean =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/bin'].some((dir) => existsSync(`${dir}/${program}`));

/** Why machines cannot be made here, with how to get what is missing; undefined when they can. */
export function whyNoMachines(): string | undefined {
  if (process.getuid?.() !== 0) return 'Machines need root (namespaces, mounts): run this as root.';
  const missing = TOOLS.filter(({ program }) => !onPath(program));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map((tool) => tool.package))].join(' ');
  return `Missing: ${missing.map(({ program }) => program).join(', ')}; get them with: apt-get install ${packages}`;
}
