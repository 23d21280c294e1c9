import { isOwn } from '../diagnose/cluster-view.ts';
import type { Situation } from '../diagnose/situation.ts';

/**
 * `ETCD_INITIAL_CLUSTER` for the new member: every listed member, by its own list, and this node under its own
 * name and peer URLs. etcd compares it with the members' list by peer URLs and count
 * (etcdserver/api/membership/cluster.go, ValidateClusterAndAssignIDs), so one that has not started yet needs
 * some name, and the file's, or its ID, will do.
 */
export function expectedCluster({ cluster, config }: Situation): string {
  if (!config) return '';
  // A clone may have published our name as another's (see the guard own-member): there its ID will do.
  const nameOf = (id: string, name: string, peerUrls: readonly string[]): string =>
    (name === config.name ? id : name) ||
    config.initialCluster.find(({ peerUrl }) => peerUrls.includes(peerUrl))?.name ||
    id;
  const others = cluster.members
    .filter((member) => !isOwn(member, config))
    .map((member) => ({ name: nameOf(member.id, member.name, member.peerUrls), peerUrls: member.peerUrls }));
  return [...others, { name: config.name, peerUrls: config.peerUrls }]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, peerUrls }) => peerUrls.map((url) => `${name}=${url}`))
    .join(',');
}
