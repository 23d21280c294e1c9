import { parse } from 'dotenv';
import { ETCD_ROLE, PROXY_ROLE } from './roles.ts';

/** The app's view of the cluster (`/opt/app/bin/.env`), as far as heal-node asks for it. */
export type AppView = Readonly<ReturnType<typeof parseAppView>>;

const words = (text = ''): readonly string[] => text.split(/\s+/).filter(Boolean);

/** @throws when the text names no role, or ends within a value, as one that was being written when power went. */
export function parseAppView(text: string, place: string) {
  const env = parse(text);
  const role = env.MY_ROLE ?? '';
  if (role !== ETCD_ROLE && role !== PROXY_ROLE)
    throw new Error(`${place}: MY_ROLE=${role} is not known; known are ${ETCD_ROLE} and ${PROXY_ROLE}.`);
  const cut = Object.keys(env).find((key) => /^"[^"]*$/.test(env[key] ?? ''));
  if (cut) throw new Error(`${place}: ${cut} was cut off as it was written; confd writes it again.`);
  const hostNames = [...(env.HOSTS_DOMAIN_NAME ?? '').matchAll(/([\d.]+)\s+(\S+)/g)];
  return {
    role,
    sid: env.MY_SID ?? '',
    /** Nodes by ID and address; the app rewrites them from the metadata while it runs. */
    nodes: words(env.STABLE_NODES).flatMap((word) => {
      const [sid, ip] = word.split('=');
      return sid && ip ? [{ sid, ip }] : [];
    }),
    tls: env.ETCD_ENABLE_TLS === 'true',
    /** With TLS: what follows `etcd<sid>` in the members' names, and the names that belong into /etc/hosts. */
    clusterDns: env.ETCD_CLUSTER_DNS ?? '',
    hosts: hostNames.map(([, ip = '', name = '']) => ({ ip, name })),
    /** This node comes or goes, and which nodes do, right now. */
    isDeleted: env.IS_DELETED === 'true',
    isAdded: env.IS_ADDED === 'true',
    added: words(env.ADDED_NODES),
    deleted: words(env.DELETED_NODES),
  };
}

/**
 * What the app's start writes into etcd.env (docs/platform.md), as far as it says whose node this is, and how nodes are
 * called.
 */
export function envOf({ sid, tls, clusterDns, nodes }: AppView) {
  const scheme = tls ? 'https' : 'http';
  const ip = `${nodes.find((of) => of.sid === sid)?.ip}`;
  const host = (of: (typeof nodes)[number]): string => (tls ? `etcd${of.sid}${clusterDns}` : of.ip);
  const own = host({ sid, ip });
  return {
    ETCD_NAME: `etcd${sid}`,
    ETCD_DATA_DIR: '/var/lib/etcd/default.etcd',
    ETCD_INITIAL_ADVERTISE_PEER_URLS: `${scheme}://${own}:2380`,
    ETCD_ADVERTISE_CLIENT_URLS: `${scheme}://${own}:2379`,
    ETCD_LISTEN_PEER_URLS: `${scheme}://${ip}:2380`,
    ETCD_LISTEN_CLIENT_URLS: `${scheme}://${ip}:2379`,
    ETCD_INITIAL_CLUSTER: nodes.map((of) => `etcd${of.sid}=${scheme}://${host(of)}:2380`).join(','),
  };
}
