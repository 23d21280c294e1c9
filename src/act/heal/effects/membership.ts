import { ClusterError, type Member } from '../../../cluster/cluster.ts';
import { isOwn } from '../../../diagnose/cluster-view.ts';
import type { Situation } from '../../../diagnose/situation.ts';
import { hostOf, portOf } from '../../../machine/etcd/etcd-config.ts';
import { waitUntil } from '../../../machine/wait-until.ts';
import { appAtWork } from '../../../plan/guards.ts';
import { type HealContext, RIGHT_BEFORE_MS } from '../heal-context.ts';
import { askForTurn, isAdded, TURN_SEC, takeTurn } from '../turn.ts';
import { CALL_BOUND_MS, NONE_SERVES, untilTaken } from '../until-taken.ts';
import { disarmRemoved } from './alarms.ts';

const ADDS_NONE = 'no member is added while another does not serve';

/** Removes this node's old entry, by ID. The guards have been asked right before. */
export async function removeOldMember(heal: HealContext): Promise<string> {
  const old = heal.situation.cluster.own;
  if (old === undefined) return 'the cluster does not list this node any more';
  // One without a name has never served: it was added by a run before this one.
  if (old.name !== '') heal.record.oldMemberId = old.id;
  const members = await untilTaken(
    heal,
    () => heal.cluster.removeMember(heal.servingEndpoints, old.id),
    () =>
      heal.situation.membership !== 'unknown' &&
      !heal.situation.cluster.members.some((member) => member.id === old.id),
  );
  if (members !== undefined) heal.listIsNow(members);
  const alarms = await disarmRemoved(heal);
  return `member ${old.id} (${old.name}) is removed; ${heal.situation.cluster.members.length} members are left${alarms}`;
}

/** The other listed members with a vote that do not serve, by name and ID. */
const notServing = ({ cluster }: Situation): string =>
  cluster.members
    .filter(({ id, isLearner }) => !isLearner && id !== cluster.own?.id)
    .filter(({ id }) => !cluster.serving.some(({ reply }) => reply.memberId === id))
    .map(({ id, name, peerUrls }) => `${name || 'not started'} ${id} (${peerUrls.join(',')})`)
    .join(' and ');

/**
 * While another listed member does not serve, one more could cost the quorum: it may be off, or be receiving its data
 * still. etcd refuses that too, as far as it sees it, unless it is told not to (`--strict-reconfig-check`). Where as many
 * have to serve as before, one that has been a member may be out of this node's reach alone: that is for etcd to judge.
 */
function mustBear(heal: HealContext): void {
  const { members, own, serving, disagreement } = heal.situation.cluster;
  // Of a list that lags nobody knows who else has been added (etcd #11198).
  const unknown = serving.length === 0 ? NONE_SERVES : disagreement;
  if (unknown) throw new ClusterError(unknown, true);
  const voters = members.filter(({ id, isLearner }) => !isLearner && id !== own?.id);
  // Of an odd number and one more, one more is a quorum.
  const all = voters.length % 2 === 1 || voters.some(({ name }) => name === '');
  const least = all ? voters.length : voters.length / 2 + 1;
  const few = `${serving.length} of the other ${voters.length} members serve, ${least} must`;
  if (serving.length < least) throw new ClusterError(few, true);
}

/**
 * Adds this node's name and peer URLs as a new voter, unless that has been done; then waits until every member that
 * serves lists it. Sets `memory.listedByAll`.
 */
export async function addNewMember(heal: HealContext): Promise<string> {
  const { name, peerUrls } = heal.config;
  if (!isAdded(heal)) {
    await takeTurn(heal);
    if (!isAdded(heal)) await add(heal);
  } else {
    // One that is added already is whom the others wait for, the one that has the turn too: it must not wait for them.
    await askForTurn(heal).catch(() => undefined);
  }
  const id = heal.situation.cluster.own?.id ?? '';
  heal.record.newMemberId = heal.memory.newMemberId = id;
  const lists = await untilListedByAll(heal, id);
  heal.memory.listedByAll = true;
  return `${name} is listed as ${id} with ${peerUrls.join(',')} by ${lists}`;
}

async function add(heal: HealContext): Promise<void> {
  const added = await untilTaken(
    heal,
    async () => {
      // It may have run out while the others were out of reach, and another have it.
      const keptMs = heal.turn?.renewedMs ?? Number.POSITIVE_INFINITY;
      if (heal.machine.monotonicMs() - keptMs > (TURN_SEC * 1000) / 2) await takeTurn(heal);
      // A disk that is busy must not end a heal between `remove` and `add`.
      const files = heal.lookIfOlder(RIGHT_BEFORE_MS, 'files', 'units', 'cluster');
      await files.catch(() => heal.lookIfOlder(RIGHT_BEFORE_MS, 'cluster'));
      // A call that was given up may have been taken late.
      if (isAdded(heal)) return undefined;
      // The guard was asked before the wait, in which the node may have been given up.
      const atWork = appAtWork(heal.situation, true);
      if (atWork) throw new ClusterError(atWork, true);
      const { name, peerUrls } = heal.config;
      const { app } = heal.situation.observed;
      const ip = app.ok && app.value.nodes.find(({ sid }) => `etcd${sid}` === name)?.ip;
      // One that was added by URLs that this node has no more has never been started, and never will.
      const isOurs = (url: string) =>
        (hostOf(url) === ip || hostOf(url).startsWith(`${name}.`)) &&
        portOf(url) === portOf(peerUrls[0] ?? '');
      const isGhost = (each: Member) => each.name === '' && !each.isLearner && each.peerUrls.some(isOurs);
      const ghost = heal.situation.cluster.members.find(isGhost);
      if (ghost) heal.listIsNow(await heal.cluster.removeMember(heal.servingEndpoints, ghost.id));
      mustBear(heal);
      return heal.cluster.addMember(heal.servingEndpoints, name, peerUrls);
    },
    () => isAdded(heal),
    () => {
      const down = notServing(heal.situation);
      return down && `; ${ADDS_NONE}: ${down}`;
    },
  ).catch((error: Error) => {
    const down = notServing(heal.situation);
    throw down === '' ? error : new Error(`${ADDS_NONE}; this heal waits for ${down} (${error.message})`);
  });
  if (added !== undefined) heal.listIsNow(added.members);
}

/**
 * Waits until every member that serves lists this node under its new ID alone. One that lags behind would speak to
 * the new member in the name of the old one: etcd before 3.4.32 does not look whom a message is for, and the new
 * member panics (`tocommit … lastIndex(0)`, etcd #17078).
 * @returns how many list it so, as text
 * @throws when one that serves still does not after `CALL_BOUND_MS`
 */
async function untilListedByAll(heal: HealContext, newId: string): Promise<string> {
  const { machine, cluster, config, servingEndpoints } = heal;
  /** Where the list is another; empty where it is right, undefined where nobody serves. */
  const lags = async (endpoint: string): Promise<string | undefined> => {
    // One reply that is lost, or one read that stalls, is no silence.
    const ask = () => cluster.ask(endpoint).catch(() => undefined);
    const reply = await ask().then((first) => (first?.serves ? first : ask()));
    if (!reply?.serves) return undefined;
    const own = reply.members.filter((member) => isOwn(member, config)).map(({ id }) => id);
    return own.length === 1 && own[0] === newId
      ? ''
      : `${endpoint} lists this node as ${own.join(', ') || 'nobody'}`;
  };
  let said: string[] = [];
  const all = await waitUntil(machine, CALL_BOUND_MS, 50, async () => {
    said = (await Promise.all(servingEndpoints.map(lags))).filter((text) => text !== undefined);
    if (said.some(Boolean)) await heal.keepTurn();
    return said.every((text) => text === '') || undefined;
  });
  const why = `etcd is not started as ${newId}, because not every member that serves lists it`;
  if (all === undefined) throw new Error(`${why}: ${said.filter(Boolean).join('; ')}`);
  return `all ${said.length} that serve`;
}
