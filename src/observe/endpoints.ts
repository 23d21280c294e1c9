import type { AppView } from '../appcenter/app-view.ts';
import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';

/** Makes the client URL of the node behind a peer URL: same host, the scheme and port that all nodes of the app use. */
function clientUrls(config: EtcdConfig): (peerUrl: string) => string | undefined {
  const own = URL.parse(config.clientUrl);
  return (peerUrl) => {
    const host = URL.parse(peerUrl)?.hostname;
    if (host === undefined || own === null) return undefined;
    return `${own.protocol}//${host}${own.port === '' ? '' : `:${own.port}`}`;
  };
}

/** Client URLs of the others, as the environment file and the app's view name them; this member's own are left out. */
export function otherEndpoints(config: EtcdConfig, app: AppView | undefined): string[] {
  const clientUrlFor = clientUrls(config);
  const own = new Set([config.clientUrl, ...config.peerUrls.map(clientUrlFor)]);
  const fromFile = config.initialCluster.map(({ peerUrl }) => clientUrlFor(peerUrl));
  // With TLS members are reached by name, which the app's list of addresses does not have.
  const fromApp = config.tls ? [] : (app?.nodes ?? []).map(({ ip }) => clientUrlFor(`http://${ip}`));
  return [...new Set([...fromFile, ...fromApp])].filter(
    (url) => url !== undefined && !own.has(url),
  ) as string[];
}

/**
 * Client URLs of the other members that are not among those `known`. This member's own is none of them, also where the
 * list has other peer URLs for it.
 */
export function furtherEndpoints(
  config: EtcdConfig,
  members: readonly Member[],
  known: readonly string[],
): string[] {
  const urls = members
    .filter(({ peerUrls }) => !peerUrls.some((url) => config.peerUrls.includes(url)))
    .map((member) => member.clientUrls[0] ?? clientUrls(config)(member.peerUrls[0] ?? ''));
  const own = config.clientUrl;
  return [...new Set(urls)].filter(
    (url) => url !== undefined && url !== own && !known.includes(url),
  ) as string[];
}
