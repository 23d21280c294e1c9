/** etcd's configuration on this node, from the environment that systemd gives it (etcdmain/config.go). */
export interface EtcdConfig {
  readonly name: string;
  readonly dataDir: string;
  /** Where the WAL is: in the data dir, or in a directory of its own. */
  readonly walDir: string;
  readonly separateWalDir: boolean;
  readonly peerUrls: readonly string[];
  /** The member's own client URL, as the others know it. */
  readonly clientUrl: string;
  /** Peer URLs by name, as the file was written: after scaling it may name fewer or more than there are. */
  readonly initialCluster: readonly { readonly name: string; readonly peerUrl: string }[];
  readonly initialState: string;
  readonly tls: TlsFiles | undefined;
  /** What it listens on, for peers and clients. */
  readonly listenUrls: readonly string[];
  /** Certificates that etcd itself uses, by the setting that names each. */
  readonly certificates: readonly (TlsFiles & {
    readonly setting: string;
    readonly names: readonly string[];
  })[];
  /** The file that etcd logs to, instead of the journal; empty otherwise. */
  readonly logFile: string;
}

export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

type Env = Readonly<Record<string, string>>;

/** The client certificates of the app (docs/platform.md); etcd's own environment names only the server's. */
export const CLIENT_TLS_DIR = '/var/lib/etcd/ssl/etcd';

class EtcdConfigError extends Error {
  override readonly name = 'EtcdConfigError';
}

const urls = (text: string): string[] =>
  text
    .split(',')
    .map((url) => url.trim().replace(/\/+$/, ''))
    .filter(Boolean);

function absolute(env: Env, key: string, place: string): string {
  const path = (env[key] ?? '').replace(/\/+$/, '');
  if (!path.startsWith('/') || path.split('/').includes('..')) {
    throw new EtcdConfigError(
      `${place}: ${key}=${env[key] ?? ''} is not allowed; allowed is an absolute path.`,
    );
  }
  return path;
}

function httpUrls(env: Env, key: string, place: string): [string, ...string[]] {
  const [first, ...rest] = urls(env[key] ?? '');
  if (first === undefined || [first, ...rest].some((url) => !/^https?:\/\/[^\s/@]+$/.test(url))) {
    throw new EtcdConfigError(
      `${place}: ${key}=${env[key] ?? ''} is not allowed; allowed are http:// or https:// URLs with a host and a port.`,
    );
  }
  return [first, ...rest];
}

/** The member's client URL alone: all that the healthy check needs. */
export const clientUrlOf = (env: Env, place: string): string =>
  httpUrls(
    env,
    env.ETCD_ADVERTISE_CLIENT_URLS ? 'ETCD_ADVERTISE_CLIENT_URLS' : 'ETCD_LISTEN_CLIENT_URLS',
    place,
  )[0];

/** The files to call etcd's client URL with; undefined without TLS. */
export const tlsOf = (env: Env, clientUrl: string): TlsFiles | undefined =>
  clientUrl.startsWith('https:')
    ? {
        ca: env.ETCD_TRUSTED_CA_FILE || `${CLIENT_TLS_DIR}/ca.pem`,
        cert: `${CLIENT_TLS_DIR}/client.pem`,
        key: `${CLIENT_TLS_DIR}/client-key.pem`,
      }
    : undefined;

const CERTIFICATES = [
  { prefix: 'ETCD_', urls: 'ETCD_ADVERTISE_CLIENT_URLS' },
  { prefix: 'ETCD_PEER_', urls: 'ETCD_INITIAL_ADVERTISE_PEER_URLS' },
] as const;

/** The host of a URL, an IPv6 address without its brackets; empty where there is none. */
export const hostOf = (url: string): string => URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';

/**
 * @throws EtcdConfigError naming the file, the key, the value and what is allowed.
 */
export function etcdConfig(env: Env, place: string): EtcdConfig {
  const name = env.ETCD_NAME ?? '';
  if (!/^[^\s,=]+$/.test(name)) {
    throw new EtcdConfigError(
      `${place}: ETCD_NAME=${name} is not allowed; allowed is a name without commas, = or spaces.`,
    );
  }
  const dataDir = absolute(env, 'ETCD_DATA_DIR', place);
  const walDir = env.ETCD_WAL_DIR ? absolute(env, 'ETCD_WAL_DIR', place) : '';
  const clientUrl = clientUrlOf(env, place);
  const initialCluster = (env.ETCD_INITIAL_CLUSTER ?? '').split(',').flatMap((part) => {
    const at = part.indexOf('=');
    return at > 0
      ? [
          {
            name: part.slice(0, at).trim(),
            peerUrl: part
              .slice(at + 1)
              .trim()
              .replace(/\/+$/, ''),
          },
        ]
      : [];
  });
  return {
    name,
    dataDir,
    walDir: walDir || `${dataDir}/member/wal`,
    separateWalDir: walDir !== '',
    peerUrls: httpUrls(env, 'ETCD_INITIAL_ADVERTISE_PEER_URLS', place),
    clientUrl,
    initialCluster,
    initialState: env.ETCD_INITIAL_CLUSTER_STATE || 'new',
    tls: tlsOf(env, clientUrl),
    listenUrls: [...urls(env.ETCD_LISTEN_PEER_URLS ?? ''), ...urls(env.ETCD_LISTEN_CLIENT_URLS ?? '')],
    certificates: CERTIFICATES.flatMap(({ prefix, urls: key }) => {
      const [cert, keyFile, ca] = ['CERT_FILE', 'KEY_FILE', 'TRUSTED_CA_FILE'].map(
        (name) => env[prefix + name],
      );
      return cert && keyFile && ca
        ? [{ setting: `${prefix}CERT_FILE`, cert, key: keyFile, ca, names: urls(env[key] ?? '').map(hostOf) }]
        : [];
    }),
    logFile: (env.ETCD_LOG_OUTPUTS ?? '').split(',').find((output) => output.startsWith('/')) ?? '',
  };
}
