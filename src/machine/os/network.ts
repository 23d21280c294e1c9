import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { attempt } from '../attempt.ts';
import { processIds } from './process.ts';

export type Network = Readonly<ReturnType<typeof lookAtNetwork>>;

/**
 * open: it took the connection; refused: it was turned away; silent: nothing came back. Bun calls every failure of
 * connect(2) ECONNREFUSED, also where there is no way to the host: whoever asks looks at the link besides.
 */
export type Reach = 'open' | 'refused' | 'silent';

const read = (path: string): string => attempt(() => readFileSync(path, 'utf8')) ?? '';

/** The loopback's addresses, as the kernel writes them: the lowest byte first. */
const LOOPBACK = /^(?:.{6}7F|0{24}01000000):/;

/**
 * Listening sockets by inode, from /proc/net/tcp and tcp6 (proc(5)): state 0A, the port in hexadecimal; on the loopback it
 * is negative.
 */
export function listeningSockets(text: string, ports: readonly number[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
    if (state === '0A' && ports.includes(port)) found.set(inode, LOOPBACK.test(local) ? -port : port);
  }
  return found;
}

/** Processes that listen on ports, negative as above; each may have ended while it is looked at, or closed a socket. */
function listeners(ports: readonly number[]) {
  const texts = ['/proc/net/tcp', '/proc/net/tcp6'].map(read);
  const sockets = new Map(texts.flatMap((text) => [...listeningSockets(text, ports)]));
  return (sockets.size === 0 ? [] : processIds()).flatMap((pid) =>
    (attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
      const link = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '';
      const port = sockets.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '');
      return port ? { port, pid: Number(pid), program: read(`/proc/${pid}/comm`).trim() } : [];
    }),
  );
}

export type Listener = Readonly<ReturnType<typeof listeners>[number]>;

/** Addresses that this machine has, whether or not their link is up: IPv4's routing trie, IPv6's list (proc(5)). */
export const localAddresses = (fibTrie: string, inet6: string): readonly string[] => [
  ...new Set([...fibTrie.matchAll(/\|-- ([\d.]+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address)),
  ...[...inet6.matchAll(/^([0-9a-f]{32}) /gm)].map(
    // A URL writes an IPv6 address in the one short way (RFC 5952).
    ([, hex = '']) => new URL(`http://[${hex.match(/.{4}/g)?.join(':')}]`).hostname.slice(1, -1),
  ),
];

/** This machine's side of the network; `ports` are those whose listeners are asked for. */
export function lookAtNetwork(ports: readonly number[]) {
  const arp = [...read('/proc/net/arp').matchAll(/^([\d.]+) +\S+ +(0x[\da-f]+)/gm)];
  // Flag 2: the entry is complete (linux/if_arp.h, ATF_COM).
  const addresses = (complete: boolean): readonly string[] =>
    arp.filter(([, , flags]) => ((Number(flags) & 2) !== 0) === complete).map(([, address = '']) => address);
  return {
    /** Addresses that this machine has. */
    addresses: localAddresses(read('/proc/net/fib_trie'), read('/proc/net/if_inet6')),
    /**
     * Some interface besides the loopback is up and has a carrier: only those that are running are listed
     * (netdevice(7), IFF_RUNNING).
     */
    linkUp: Object.values(networkInterfaces()).some((list) => list?.some(({ internal }) => !internal)),
    /** Addresses beside us on the link that answer for themselves (ARP), and those that were asked for and do not. */
    neighbours: addresses(true),
    unresolved: addresses(false),
    listeners: listeners(ports),
  };
}

/** Whether a TCP connection can be made; never longer than `timeoutMs`. */
export async function reach(host: string, port: number, timeoutMs: number): Promise<Reach> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return 'open';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'refused' : 'silent';
  } finally {
    socket.destroy();
  }
}
