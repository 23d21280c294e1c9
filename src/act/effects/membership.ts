import { type HealContext, untilTaken } from '../heal-context.ts';

/**
 * How long a refusal that is known to pass is asked again. A member that is off for longer makes `member add`
 * wait; the next health action takes the heal up again.
 */
const BOUND_MS = 90_000;

/** Removes this node's old entry, by ID. The guards have been asked right before. */
export async function removeOldMember(heal: HealContext): Promise<string> {
  const old = heal.situation.cluster.own;
  if (old === undefined) return 'the cluster does not list this node any more';
  heal.record.oldMemberId = old.id;
  const members = await untilTaken(
    heal,
    BOUND_MS,
    () => heal.cluster.removeMember(heal.servingEndpoints, old.id),
    () => !heal.situation.cluster.members.some((member) => member.id === old.id),
  );
  if (members !== undefined) heal.listIsNow(members);
  return `member ${old.id} (${old.name}) is removed; ${heal.situation.cluster.members.length} members are left`;
}

/** Adds this node's name and peer URLs as a new voter. */
export async function addNewMember(heal: HealContext): Promise<string> {
  const { name, peerUrls } = heal.config;
  const added = await untilTaken(
    heal,
    BOUND_MS,
    () => heal.cluster.addMember(heal.servingEndpoints, name, peerUrls),
    () => heal.situation.cluster.own !== undefined,
  );
  if (added !== undefined) heal.listIsNow(added.members);
  const id = heal.situation.cluster.own?.id ?? '';
  heal.record.newMemberId = id;
  return `${name} is listed as ${id} with ${peerUrls.join(',')}`;
}
