import { busyVerbs, replacesData } from '../appcenter/busy-verbs.ts';
import { ETCD_ROLE } from '../appcenter/roles.ts';
import { isOwn } from '../diagnose/cluster-view.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import { isBlank } from '../machine/systemd/env-file.ts';
import { lookAtData, placeOfData } from '../observe/look-at-files.ts';
import { diskNotMounted } from '../observe/look-at-host.ts';
import type { Asked } from '../observe/observation.ts';
import { observe } from '../observe/observe.ts';
import type { World } from '../observe/world.ts';
import { foreignFile } from '../state/foreign-file.ts';
import { readMark } from '../state/member-mark.ts';

/** Who does not answer in that time is taken for silent: etcd's start waits for it. */
const ASK_MS = 1000;
/**
 * Whose data these are, and whom the cluster lists, those know too who only answer, without a quorum: later than a
 * linearizable read is waited for (src/cluster/etcd-cluster.ts).
 */
const ASK_WHOSE_MS = 2000;
/** Its own disks may be slow right after a boot, and a gate that cannot look lets etcd start. */
const FILES_MS = 20_000;

const HEALS =
  'with HEAL_MODE=auto a heal follows as soon as a quorum of the others serves and nothing that `heal-node diagnose` names is in its way (with HEAL_AT_BOOT=off at the next health action), with manual `heal-node heal` does it then';

/** Why etcd must not be started on data that are gone; undefined when it may. */
function withoutData({ observed, config, cluster }: Situation): string | undefined {
  const { mark, data, others } = observed;
  const found = `${config?.dataDir} ${data.kind === 'none' ? 'holds no data' : 'holds nothing but a founding'}`;
  if (mark.wasMember)
    return `This node has been a member, and ${found}: started now, etcd could found a second, empty cluster, or vote without what it had acknowledged. It is not started; ${HEALS}; after a total loss, when no member has data any more, \`heal-node adopt --found\` lets this node found a cluster again.`;
  // Also by the list of one that answers without a quorum: a founder publishes its client URLs to a quorum first.
  const own = cluster.known.find((member) => config && isOwn(member, config) && member.clientUrls.length > 0);
  const lists = ({ reply }: Asked) => reply.ok && reply.value.members.some(({ id }) => id === own?.id);
  return own
    ? `${found}, while ${others.find(lists)?.endpoint} lists this node as member ${own.id}, which has been started before. It is not started; ${HEALS}.`
    : undefined;
}

/**
 * Whether etcd may be started on the data that stand here now. Three starts cannot be undone: one on data that are gone,
 * one into a cluster that is not the one that this node remembers, and one on another member's data, which would speak
 * and vote in that member's name. A node that is marked as one that has been a member is told without asking anybody.
 * @returns why it must not be started, as a sentence; undefined when it may
 */
export async function gate(world: World): Promise<string | undefined> {
  const { machine, places } = world;
  const first = await observe(world, undefined, ['files'], FILES_MS);
  // A line of the unit may keep the settings from being known, and not where the data are.
  const alone = first.config.ok ? undefined : await placeOfData(world).catch(() => undefined);
  const settings = alone ? { ok: true as const, value: alone } : first.config;
  // On a slow disk the first look may not have come to what stands there, and to whose it is.
  const data = first.data.kind === 'unknown' ? await lookAtData(machine, settings, 'log') : first.data;
  const bare = situationOf({ ...first, config: settings, data }, places);
  const { config, dataGone, observed } = bare;
  const { app, mark, noted, discardAhead } = observed;
  // Where the app's view cannot be read, what this node remembers counts: a proxy has no settings of a member.
  if (app.ok && app.value.role !== ETCD_ROLE) return undefined;
  if (config === undefined)
    return mark.wasMember && (await isBlank(machine, places.env))
      ? `This node has been a member, and ${places.env} says nothing: written in this very moment, it could let etcd found a second, empty cluster. etcd is not started; the app's start writes the file, and starts etcd then.`
      : undefined;
  // The app's own verbs put other data here on purpose, and know what for.
  if (replacesData(busyVerbs(await machine.commandLines()))) return undefined;
  if (dataGone) {
    // A root disk that was put back remembers nothing, and the other mark is on the disk that is not there.
    const away = await diskNotMounted(machine, config, mark.dataDiskId).catch(() => '');
    if (away !== '')
      return `The data disk is not mounted: ${away}. etcd is not started; mount the data disk (see /etc/fstab and \`lsblk\`), and run the health action; nothing is lost.`;
    if (mark.wasMember) return withoutData(bare);
    if (bare.certificatesToBring)
      return `${config.dataDir} holds no data, and ${bare.certificatesMissing}. etcd is not started; ${HEALS}.`;
  }

  const ask = (limitMs: number) => observe(world, observed, ['cluster'], limitMs);
  const whose = ask(ASK_WHOSE_MS);
  let asked = situationOf(await ask(ASK_MS), places);
  // Where some serve, one that is silent keeps nobody waiting: each second more is one in which systemd starts nothing.
  if (asked.cluster.members.length === 0) asked = situationOf(await whose, places);
  // A heal may have marked it since, and is about to have the app's start write etcd.env.
  if (dataGone)
    return withoutData(situationOf({ ...asked.observed, mark: await readMark(machine, places) }, places));
  // Who it is may stand elsewhere: only where its data are is known.
  if (alone) return undefined;
  const { foreign, owner, cluster, birthmarkMismatch } = asked;
  if (foreign !== undefined) {
    const { id, name, peerUrls } = foreign.member;
    const why = `The data are those of member ${id} (${name}, ${peerUrls.join(',')}): started here, etcd would speak for it. See \`heal-node diagnose\`.`;
    await foreignFile.write(machine, places.foreign, { memberId: id, why }).catch(() => undefined);
    return why;
  }
  if (noted && noted.commit === undefined && noted.memberId === owner?.memberId) {
    // By now the cluster lists it for this node, and may be silent at the next start.
    if (cluster.known.some(({ id }) => id === noted.memberId))
      await machine.remove(places.foreign).catch(() => undefined);
    else if (cluster.members.length === 0) return noted.why;
  }
  const refounded = birthmarkMismatch && `This node has been a member, and ${birthmarkMismatch}.`;
  const isSilent = !cluster.hasQuorumWithoutSelf;
  if (isSilent && !discardAhead && !noted?.commit) return refounded;
  // What the cluster does not know any more would come back in place of what it has written since.
  const examination = await machine.examine(config, 'log');
  const judged = () => situationOf({ ...asked.observed, examination }, places);
  const { givenUp, saidAhead } = judged();
  if (givenUp)
    return 'A person has given these data up (`heal-node adopt --discard-ahead`): started, they could come back in place of what the cluster has written since. It is not started; `heal-node heal` sets them aside.';
  // Also while an election passes, or the others are off.
  if (saidAhead) return saidAhead;
  if (isSilent) return refounded;
  // What is noted was said twice: a member may not have heard yet of what the last leader has committed. Silence takes
  // nothing back.
  const again = judged().ahead ? situationOf(await ask(ASK_MS), places) : undefined;
  if (again?.cluster.hasQuorumWithoutSelf) asked = again;
  const isAhead = judged().ahead;
  if (!isAhead && (noted || discardAhead))
    for (const path of [places.foreign, places.adopted]) await machine.remove(path).catch(() => undefined);
  if (!isAhead) return refounded;
  const why = `Its log has committed index ${examination.commit}, its last entry is of term ${examination.lastTerm}; those that serve know index ${asked.cluster.serving.map(({ reply }) => `${reply.raftIndex} in term ${reply.term}`).join(', ')}: the cluster has been founded anew or restored without this member. Find out which of the two is to be kept; \`heal-node adopt --discard-ahead\` accepts that what this member alone has is lost, \`heal-node adopt --keep\`, once etcd is stopped on the others, that it is started.`;
  const note = { memberId: examination.memberId, why, commit: examination.commit.toString() };
  if (asked === again) await foreignFile.write(machine, places.foreign, note).catch(() => undefined);
  return why;
}
