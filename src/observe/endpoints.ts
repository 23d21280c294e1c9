import type { AppView } from '../appcenter/app-view.ts';
import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';

/** The client URL of the node behind a peer URL: same host, the scheme and port that all nodes of the app use. */
function clientUrlsLike({ clientUrl }: EtcdConfig) {
  const own = URL.parse(clientUrl);
  return (peerUrl = ''): string | undefined => {
    const host = URL.parse(peerUrl)?.hostname;
    if (host === undefined || own === null) return undefined;
    return `${own.protocol}//${host}${own.port === '' ? '' : `:${own.port}`}`;
  };
}

/** Each URL once that is none of those known. */
const without = (known: readonly (string | undefined)[], urls: readonly (string | undefined)[]): string[] =>
  [...new Set(urls)].filter((url) => url !== undefined).filter((url) => !known.includes(url));

/**
 * Client URLs of the others; this member's own are left out. Without TLS the app's view counts, where it is that of this
 * node: etcd.env may name one that has been scaled in, at whose address another cluster may serve by now.
 */
export function otherEndpoints(config: EtcdConfig, app: AppView | undefined): string[] {
  const clientUrl = clientUrlsLike(config);
  const own = config.peerUrls.map(clientUrl);
  const fromFile = config.initialCluster.map(({ peerUrl }) => clientUrl(peerUrl));
  // With TLS members are reached by name, which the app's list of addresses does not have.
  const fromApp = config.tls ? [] : (app?.nodes ?? []).map(({ ip }) => clientUrl(`http://${ip}`));
  const isOurs = app?.nodes.some(({ sid }) => sid === app.sid && config.name === `etcd${sid}`);
  return without([config.clientUrl, ...own], isOurs && !config.tls ? fromApp : [...fromFile, ...fromApp]);
}

/**
 * Client URLs of the other members that are not among those `known`. This member's own is none of them, also where the
 * list has other peer URLs for it.
 */
export function furtherEndpoints(config: EtcdConfig, members: readonly Member[], known: readonly string[]) {
  const clientUrl = clientUrlsLike(config);
  const urls = members
    .filter(({ peerUrls }) => !peerUrls.some((url) => config.peerUrls.includes(url)))
    .map((member) => member.clientUrls[0] ?? clientUrl(member.peerUrls[0]));
  return without([config.clientUrl, ...known], urls);
}
