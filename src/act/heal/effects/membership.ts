import type { Situation } from '../../../diagnose/situation.ts';
import { type HealContext, untilTaken } from '../heal-context.ts';
import { takeTurn } from '../turn.ts';

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

/** The other listed members that do not serve, by name and ID. */
const notServing = ({ cluster }: Situation): string =>
  cluster.members
    .filter(({ id }) => id !== cluster.own?.id && !cluster.serving.some(({ reply }) => reply.memberId === id))
    .map(({ id, name, peerUrls }) => `${name || 'not started'} ${id} (${peerUrls.join(',')})`)
    .join(' and ');

/** Adds this node's name and peer URLs as a new voter. */
export async function addNewMember(heal: HealContext): Promise<string> {
  const { name, peerUrls } = heal.config;
  await takeTurn(heal);
  const added = await untilTaken(
    heal,
    BOUND_MS,
    () => heal.cluster.addMember(heal.servingEndpoints, name, peerUrls),
    () => heal.situation.cluster.own !== undefined,
    () => {
      const down = notServing(heal.situation);
      return down === '' ? '' : `; etcd adds no member while another is down or has not started: ${down}`;
    },
  ).catch((error: Error) => {
    const down = notServing(heal.situation);
    throw down === ''
      ? error
      : new Error(
          `etcd adds no member while another is down or has not started, and waits for ${down} (${error.message})`,
        );
  });
  if (added !== undefined) heal.listIsNow(added.members);
  const id = heal.situation.cluster.own?.id ?? '';
  heal.record.newMemberId = id;
  return `${name} is listed as ${id} with ${peerUrls.join(',')}`;
}
