import type { Alarm, Member, MemberReply } from '../cluster/cluster.ts';
import { type EtcdConfig, hostOf } from '../machine/etcd/etcd-config.ts';
import type { Asked } from '../observe/observation.ts';

/** The cluster as the others that serve see it. */
export type ClusterView = Readonly<ReturnType<typeof clusterView>>;

export const isOwn = (member: Member, config: EtcdConfig): boolean =>
  member.peerUrls.some((url) => config.peerUrls.includes(url.replace(/\/+$/, ''))) ||
  member.peerUrls.some((url) => config.otherPeerUrls.includes(url));

const listText = (members: readonly Member[]): string =>
  members
    .map((member) => `${member.id}=${member.peerUrls.join('+')}`)
    .sort()
    .join(', ');

const firstOfItsKind = (alarm: Alarm, at: number, all: readonly Alarm[]): boolean =>
  all.findIndex((other) => other.memberId === alarm.memberId && other.alarm === alarm.alarm) === at;

/** Pure: what the answers, taken together, say. */
export function clusterView(
  config: EtcdConfig | undefined,
  others: readonly Asked[],
  changedList: readonly Member[] | undefined,
) {
  const serving: { endpoint: string; reply: MemberReply }[] = [];
  const silent: { endpoint: string; why: string }[] = [];
  for (const { endpoint, reply } of others) {
    if (!reply.ok) silent.push({ endpoint, why: reply.why });
    else if (!reply.value.serves) silent.push({ endpoint, why: reply.value.unavailableReason });
    else if (!serving.some((s) => s.reply.memberId === reply.value.memberId))
      serving.push({ endpoint, reply: reply.value });
  }
  const [first, ...rest] = serving;
  const said = ({ clusterId, members }: MemberReply) => `cluster ${clusterId} of ${listText(members)}`;
  const differs = first && rest.find(({ reply }) => said(reply) !== said(first.reply));
  const disagreement =
    differs && `${first.endpoint} says ${said(first.reply)}; ${differs.endpoint} says ${said(differs.reply)}`;
  const members = changedList ?? first?.reply.members ?? [];
  const known =
    members.length > 0 ? members : others.flatMap(({ reply }) => (reply.ok ? reply.value.members : []));
  const own = config && members.find((member) => isOwn(member, config));
  const othersNamed = config?.initialCluster.filter(({ name }) => name !== config.name) ?? [];
  const isAnothers = ({ id, peerUrls }: Member): boolean => {
    const server = serving.find(({ reply }) => reply.memberId === id);
    const servesThere = server !== undefined && peerUrls.map(hostOf).includes(hostOf(server.endpoint));
    return servesThere || othersNamed.some(({ peerUrl }) => peerUrls.includes(peerUrl));
  };
  const voters = members.filter(({ isLearner }) => !isLearner);
  const quorum = Math.floor(voters.length / 2) + 1;
  const listed = serving.filter(
    ({ reply }) => reply.memberId !== own?.id && voters.some((member) => member.id === reply.memberId),
  );
  return {
    /** Others that answer a linearizable read and have a vote, each once. */
    serving: listed,
    /** Others that did not, with the reason. */
    silent,
    /** Why those that serve do not agree on cluster ID and member list; undefined when they do. */
    disagreement,
    /** Empty when nobody serves. */
    clusterId: first?.reply.clusterId ?? '',
    members,
    /** The same; where nobody serves, the lists of all that only answer: enough to say whose data these are. */
    known,
    /** This node's entry, found by its peer URLs. */
    own,
    /**
     * A listed member of this node's name with other peer URLs; undefined where its own entry is found. One that serves at
     * its own peer URL's host, or whose peer URL the settings name for another, is another node's: a copy of its data that
     * ran here for a moment has put this node's name on it (etcdserver/server.go, publish), until that node's etcd is
     * started again.
     */
    renamed: own
      ? undefined
      : known.find((member) => member.name !== '' && member.name === config?.name && !isAnothers(member)),
    /** Where somebody else answers as this node's own member; undefined as a rule. */
    ownServedBy: own && serving.find(({ reply }) => reply.memberId === own.id)?.endpoint,
    /** One of those that serve has refused us for want of credentials: what it said. */
    credentialsRefused: serving.find(({ reply }) => reply.credentialsRefused)?.reply.credentialsRefused ?? '',
    /** What pauses heals in the whole cluster, as those that serve have it; undefined as a rule. */
    pause: serving.find(({ reply }) => reply.pause)?.reply.pause,
    /** One of the others has answered, whether it serves or not. */
    answered: others.some(({ reply }) => reply.ok),
    /** One of those knows a leader: there may be a quorum, of which fewer are in reach from here. */
    knowsLeader: others.some(({ reply }) => reply.ok && reply.value.leader !== '0'),
    /** How many of the members with a vote are a quorum. */
    quorum,
    /** Alarms, as those that answer know them. */
    alarms: others.flatMap(({ reply }) => (reply.ok ? reply.value.alarms : [])).filter(firstOfItsKind),
    /** At least a quorum of the members with a vote serve without this one, and agree. */
    hasQuorumWithoutSelf: members.length > 0 && listed.length >= quorum && disagreement === undefined,
  };
}
