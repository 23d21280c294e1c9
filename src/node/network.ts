import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Another process that listens on a port. */
export interface Listener {
  readonly port: number;
  readonly pid: number;
  readonly program: string;
}

export interface Network {
  /** Addresses that this machine has. */
  readonly addresses: readonly string[];
  /** Some interface besides the loopback has a carrier (sysfs-class-net). */
  readonly linkUp: boolean;
  /** Addresses beside us on the link that answer for themselves (ARP). */
  readonly neighbours: readonly string[];
  readonly listeners: readonly Listener[];
}

/** open: it took the connection; refused: the machine is there, and nobody listens; silent: nothing came back. */
export type Reach = 'open' | 'refused' | 'silent';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Listening sockets by inode, from /proc/net/tcp and tcp6 (proc(5)): state 0A, the port in hexadecimal. */
export function listeningSockets(text: string, ports: readonly number[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
    if (state === '0A' && ports.includes(port)) found.set(inode, port);
  }
  return found;
}

function listeners(ports: readonly number[]): Listener[] {
  const sockets = new Map([
    ...listeningSockets(read('/proc/net/tcp'), ports),
    ...listeningSockets(read('/proc/net/tcp6'), ports),
  ]);
  if (sockets.size === 0) return [];
  const found: Listener[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '';
        const port = sockets.get(inode);
        if (port !== undefined)
          found.push({ port, pid: Number(pid), program: read(`/proc/${pid}/comm`).trim() });
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** This machine's side of the network; `ports` are those whose listeners are asked for. */
export function lookAtNetwork(ports: readonly number[]): Network {
  const interfaces = readdirSync('/sys/class/net').filter((name) => name !== 'lo');
  return {
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
    linkUp: interfaces.some((name) => read(`/sys/class/net/${name}/carrier`).trim() === '1'),
    // Flag 2 of /proc/net/arp: the entry is complete (linux/if_arp.h, ATF_COM).
    neighbours: read('/proc/net/arp')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([address, , flags]) => (address && Number(flags) & 2 ? [address] : [])),
    listeners: listeners(ports),
  };
}

/** Whether a TCP connection can be made; never longer than `timeoutMs`. */
export function reach(host: string, port: number, timeoutMs: number): Promise<Reach> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: Reach): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end('silent'), timeoutMs);
    socket.once('connect', () => end('open'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    );
  });
}
