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
  /** Some interface besides the loopback is up and has a carrier. */
  readonly linkUp: boolean;
  /** Addresses beside us on the link that answer for themselves (ARP), and those that were asked for and do not. */
  readonly neighbours: readonly string[];
  readonly unresolved: readonly string[];
  readonly listeners: readonly Listener[];
}

/**
 * open: it took the connection; refused: it was turned away; silent: nothing came back. Bun calls every failure of
 * connect(2) ECONNREFUSED, also where there is no way to the host: whoever asks looks at the link besides.
 */
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

/** Addresses that this machine has, whether or not their link is up: IPv4's routing trie, IPv6's list (proc(5)). */
export const localAddresses = (fibTrie: string, inet6: string): string[] => [
  ...new Set([...fibTrie.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address)),
  ...[...inet6.matchAll(/^([0-9a-f]{32}) /gm)].map(
    // A URL writes an IPv6 address in the one short way (RFC 5952).
    ([, hex = '']) => new URL(`http://[${hex.match(/.{4}/g)?.join(':')}]`).hostname.slice(1, -1),
  ),
];

/** This machine's side of the network; `ports` are those whose listeners are asked for. */
export function lookAtNetwork(ports: readonly number[]): Network {
  // Flag 2 of /proc/net/arp: the entry is complete (linux/if_arp.h, ATF_COM).
  const neighbours = read('/proc/net/arp')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([address, , flags]) => (address ? [[address, (Number(flags) & 2) !== 0] as const] : []));
  return {
    addresses: localAddresses(read('/proc/net/fib_trie'), read('/proc/net/if_inet6')),
    // Only interfaces that are running are listed (netdevice(7), IFF_RUNNING).
    linkUp: Object.values(networkInterfaces()).some((list) => list?.some(({ internal }) => !internal)),
    neighbours: neighbours.flatMap(([address, isComplete]) => (isComplete ? [address] : [])),
    unresolved: neighbours.flatMap(([address, isComplete]) => (isComplete ? [] : [address])),
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
