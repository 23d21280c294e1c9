import type { AppView } from '../app/app-view.ts';
import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../node/etcd-config.ts';

/** The client URL of the node behind a peer URL: same host, the scheme and port that all nodes of the app use. */
function clientUrlFor(peerUrl: string, ownClientUrl: string): string | undefined {
  const [peer, own] = [URL.parse(peerUrl), URL.parse(ownClientUrl)];
  if (peer === null || own === null) return undefined;
  return `${own.protocol}//${peer.hostname}${own.port === '' ? '' : `:${own.port}`}`;
}

/**
 * Client URLs of the others: of the environment file, of the app's view, and of the member list where one is
 * known. This member's own are left out.
 */
export function otherEndpoints(
  config: EtcdConfig,
  app: AppView | undefined,
  members: readonly Member[],
): string[] {
  const own = new Set([
    config.clientUrl,
    ...config.peerUrls.map((url) => clientUrlFor(url, config.clientUrl)),
  ]);
  const fromFile = config.initialCluster.map(({ peerUrl }) => clientUrlFor(peerUrl, config.clientUrl));
  // With TLS members are reached by name, which the app's list of addresses does not have.
  const fromApp = config.tls
    ? []
    : (app?.nodes ?? []).map(({ ip }) => clientUrlFor(`http://${ip}`, config.clientUrl));
  const fromList = members
    .filter((member) => !member.peerUrls.some((url) => config.peerUrls.includes(url)))
    .map((member) => member.clientUrls[0] ?? clientUrlFor(member.peerUrls[0] ?? '', config.clientUrl));
  return [...new Set([...fromFile, ...fromApp, ...fromList])].filter(
    (url) => url !== undefined && !own.has(url),
  ) as string[];
}
