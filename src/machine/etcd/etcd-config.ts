export type Env = Readonly<Record<string, string>>;

/** The client certificates of the app (docs/platform.md); etcd's own environment names only the server's. */
export const CLIENT_TLS_DIR = '/var/lib/etcd/ssl/etcd';

/** A client's files in a directory, by the names that the app gives them. */
export const clientTls = (dir: string, ca = '') => ({
  ca: ca || `${dir}/ca.pem`,
  cert: `${dir}/client.pem`,
  key: `${dir}/client-key.pem`,
});

export type TlsFiles = Readonly<ReturnType<typeof clientTls>>;

const notAllowed = (env: Env, key: string, place: string, allowed: string): Error =>
  new Error(`${place}: ${key}=${env[key] ?? ''} is not allowed; allowed ${allowed}.`);

/** On the healthy check's way, so without `map` (docs/design.md). */
function urls(text = ''): readonly string[] {
  const found = [];
  for (const part of text.split(',')) found.push(part.trim().replace(/\/+$/, ''));
  return found.filter(Boolean);
}

function absolute(env: Env, key: string, place: string): string {
  const path = (env[key] ?? '').replace(/\/+$/, '');
  if (!path.startsWith('/') || path.split('/').includes('..'))
    throw notAllowed(env, key, place, 'is an absolute path');
  return path;
}

function httpUrls(env: Env, key: string, place: string): readonly string[] {
  const found = urls(env[key]);
  if (found.length === 0 || found.some((url) => !/^https?:\/\/[^\s/@]+$/.test(url)))
    throw notAllowed(env, key, place, 'are http:// or https:// URLs with a host and a port');
  return found;
}

/** The member's client URL alone: all that the healthy check needs. */
export function clientUrlOf(env: Env, place: string): string {
  const key = env.ETCD_ADVERTISE_CLIENT_URLS ? 'ETCD_ADVERTISE_CLIENT_URLS' : 'ETCD_LISTEN_CLIENT_URLS';
  return httpUrls(env, key, place)[0] ?? '';
}

/** The files to call etcd's client URL with; undefined without TLS. */
export const tlsOf = (env: Env, clientUrl: string): TlsFiles | undefined =>
  clientUrl.startsWith('https:') ? clientTls(CLIENT_TLS_DIR, env.ETCD_TRUSTED_CA_FILE) : undefined;

/** With what the settings of a certificate begin, and the one that says by which URLs others reach it. */
const CERTIFICATES = { ETCD_: 'ETCD_ADVERTISE_CLIENT_URLS', ETCD_PEER_: 'ETCD_INITIAL_ADVERTISE_PEER_URLS' };

/** The host of a URL, an IPv6 address without its brackets; empty where there is none. */
export const hostOf = (url: string): string => URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
export const portOf = (url: string): number => Number(URL.parse(url)?.port) || 0;

/** Peer URLs by name. */
const namedUrls = (text = '') =>
  urls(text).flatMap((part) => {
    const [, name, peerUrl] = /^([^=]+)=\s*(.*)$/s.exec(part) ?? [];
    return name !== undefined && peerUrl !== undefined ? [{ name: name.trim(), peerUrl }] : [];
  });

/** Certificates that etcd itself uses, by the setting that names each, with the hosts that others reach this node by. */
const certificatesOf = (env: Env) =>
  Object.entries(CERTIFICATES).flatMap(([prefix, reachedBy]) => {
    const setting = `${prefix}CERT_FILE`;
    const [cert, key, ca] = [env[setting], env[`${prefix}KEY_FILE`], env[`${prefix}TRUSTED_CA_FILE`]];
    return cert && key && ca ? [{ setting, cert, key, ca, hosts: urls(env[reachedBy]).map(hostOf) }] : [];
  });

/** The client's, by which heal-node and the app's own check ask, as a row of the same shape; none without TLS. */
export const ownClient = ({ tls }: EtcdConfig) => (tls ? [{ ...tls, setting: 'client', hosts: [] }] : []);

/** Since its unit is aside the app has given its nodes other URLs, by which they are called by now. */
export const hasNewUrls = ({ ofView, otherPeerUrls }: EtcdConfig): boolean =>
  ofView !== undefined && otherPeerUrls.length > 0;

/** etcd's configuration on this node, from the environment that systemd gives it (etcdmain/config.go). */
export type EtcdConfig = Readonly<ReturnType<typeof etcdConfig>>;

/** @throws naming the file, the key, the value and what is allowed. */
export function etcdConfig(env: Env, place: string, ofView?: Env) {
  const name = env.ETCD_NAME ?? '';
  if (!/^[^\s,=]+$/.test(name))
    throw notAllowed(env, 'ETCD_NAME', place, 'is a name without commas, = or spaces');
  const dataDir = absolute(env, 'ETCD_DATA_DIR', place);
  const walDir = env.ETCD_WAL_DIR ? absolute(env, 'ETCD_WAL_DIR', place) : '';
  const clientUrl = clientUrlOf(env, place);
  return {
    name,
    dataDir,
    /** What the app's view says (src/appcenter/app-view.ts) in place of etcd's own settings, which are lost, or older. */
    ofView,
    /** By which the others knew this node, or will, where the app gives its nodes other URLs; none as a rule. */
    otherPeerUrls: urls(),
    /** Where the WAL is: in the data dir, or in a directory of its own. */
    walDir: walDir || `${dataDir}/member/wal`,
    separateWalDir: walDir !== '',
    peerUrls: httpUrls(env, 'ETCD_INITIAL_ADVERTISE_PEER_URLS', place),
    /** The member's own client URL, as the others know it. */
    clientUrl,
    /** As the file was written: after scaling it may name fewer or more than there are. */
    initialCluster: namedUrls(env.ETCD_INITIAL_CLUSTER),
    tls: tlsOf(env, clientUrl),
    /** What it listens on, for peers and clients. */
    listenUrls: [...urls(env.ETCD_LISTEN_PEER_URLS), ...urls(env.ETCD_LISTEN_CLIENT_URLS)],
    certificates: certificatesOf(env),
    /** The file that etcd logs to, instead of the journal; empty otherwise. */
    logFile: (env.ETCD_LOG_OUTPUTS ?? '').split(',').find((output) => output.startsWith('/')) ?? '',
  };
}
