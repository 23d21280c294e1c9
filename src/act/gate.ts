import { ETCD_ROLE } from '../appcenter/roles.ts';
import { situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { hasBeenMember } from '../state/member-mark.ts';

/**
 * Whether etcd may be started on the data that stand here now. Three starts cannot be undone: one on an empty data
 * dir that could found a second, empty cluster, one that would join such a cluster, and one on a copy of another member's data, which would speak and
 * vote in that member's name (seen: the original then loses what the copy has acknowledged for it, and panics).
 * @returns why it must not be started, as a sentence; undefined when it may
 */
export async function gate(world: World): Promise<string | undefined> {
  const { machine, places } = world;
  const files = await observe(world, undefined, ['files']);
  const { config, wal } = situationOf(files, places);
  if (!files.app.ok || files.app.value.role !== ETCD_ROLE || config === undefined) return undefined;
  const couldFound =
    files.data.kind !== 'wal' && config.initialState === 'new' && (await hasBeenMember(machine, places));
  // A cluster that is being created has neither, and nobody is asked.
  if (wal === undefined && !couldFound) return undefined;

  const { observed, foreign, cluster, birthmarkMismatch } = situationOf(
    await observe(world, files, ['cluster']),
    places,
  );
  if (foreign !== undefined) {
    const { id, name, peerUrls } = foreign.member;
    return `The data are those of member ${id} (${name}, ${peerUrls.join(',')}): started here, etcd would speak for it. See heal-node diagnose.`;
  }
  const shown = cluster.serving.some(({ reply }) => reply.birthmark !== '');
  // A cluster without any may merely have lost that key: what has its data is not kept down for it.
  if (birthmarkMismatch !== undefined && (couldFound || shown))
    return `This node has been a member, and ${birthmarkMismatch}.`;
  if (!couldFound) return undefined;
  // One that answers has been bootstrapped, whether or not it has a quorum: etcd asks it, and does not found.
  if (observed.others.some(({ reply }) => reply.ok) || cluster.hasQuorumWithoutSelf) return undefined;
  const silent = cluster.silent.map(({ endpoint, why }) => `${endpoint}: ${why}`).join('; ');
  return `This node has been a member and its data are gone, and no other member is in reach (${silent}): started now, it could found a second, empty cluster. Start a node that has its data first.`;
}
