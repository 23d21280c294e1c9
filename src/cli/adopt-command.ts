import { rememberCluster } from '../act/birthmark.ts';
import { diagnoseWhenSettled } from '../act/diagnose-when-settled.ts';
import { openLog } from '../report/log.ts';
import { adoptedFile } from '../state/adopted-file.ts';
import { readMark, unmarkMember } from '../state/member-mark.ts';
import { retell } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { type Looked, look } from './look.ts';

/** systemd gives a unit up that has been started five times within that time (systemd.unit(5), StartLimitBurst). */
const SETTLE_MS = 15_000;

const NO_QUORUM = 'fewer than a quorum of the others serve, or they disagree; see `heal-node diagnose`';

/** What was accepted, or why not, as a sentence. */
const accepted = (message: string) => ({ code: EXIT.done, message });
const refused = (why: string) => ({ code: EXIT.refused, message: `Nothing is accepted: ${why}.` });
type Said = ReturnType<typeof accepted | typeof refused>;

/** After a total loss: this node may found a cluster again. */
async function found({ world, situation: { cluster, dataGone, process, observed } }: Looked): Promise<Said> {
  if (cluster.answered || observed.tls?.othersThere)
    return refused('another member answers: the cluster is not lost; `heal-node heal` has this one join it');
  if (!dataGone || process === 'alive')
    return refused(
      'this node has data, or what it has is not known, or etcd runs on it; only a node without data founds a cluster',
    );
  await unmarkMember(world.machine, world.places);
  const next = 'run the same on every node of the new cluster, and then start them';
  return accepted(`This node may found a cluster again: its marks are gone. Next, ${next}.`);
}

/** What the cluster has said of these data, and a person after it, holds no more. */
async function keep({ world: { machine, places }, situation: { cluster, observed } }: Looked): Promise<Said> {
  // Also one of them alone could have it join another history, and an election passes in a moment.
  if (cluster.answered)
    return refused('another member answers; stop etcd on the others first, if these data are to be kept');
  if (!observed.noted?.commit && !observed.discardAhead)
    return refused('nothing was said against these data');
  if (observed.noted?.commit) await machine.remove(places.foreign);
  await machine.remove(places.adopted);
  return accepted(
    'What the cluster has said of these data is forgotten, and etcd may start on them. Next, start it here.',
  );
}

/** What this member alone has committed may be lost. */
async function discardAhead({ world }: Looked): Promise<Said> {
  // While systemd tries to start etcd again and again, as after a boot, what was read of its data is not believed.
  const { situation } = await diagnoseWhenSettled(
    world,
    SETTLE_MS,
    async ({ situation: { owner, examination, servesAsOwn } }) =>
      owner !== undefined && examination === undefined && !servesAsOwn,
  );
  const { ahead, owner, examination, birthmarkMismatch } = situation;
  if (!situation.cluster.hasQuorumWithoutSelf) return refused(NO_QUORUM);
  if (!ahead || owner === undefined || !examination?.logRead)
    return refused('its data are not ahead of the cluster that serves, or were not read to their end');
  const commit = examination.commit.toString();
  await adoptedFile.write(world.machine, world.places.adopted, { memberId: owner.memberId, commit });
  const next =
    birthmarkMismatch === undefined
      ? 'run `heal-node heal`'
      : 'run `heal-node adopt`, which accepts the cluster that serves, and then `heal-node heal`';
  return accepted(
    `What member ${owner.memberId} has committed up to index ${commit} and the cluster does not know may be lost; its data are set aside by the heal, not deleted. Next, ${next}.`,
  );
}

/** The cluster that serves now is the one that this node belongs to. */
async function cluster({ world, situation }: Looked): Promise<Said> {
  if (!world.birthmarkOn) return refused('HEAL_BIRTHMARK is off');
  if (!situation.cluster.hasQuorumWithoutSelf) return refused(NO_QUORUM);
  const { credentialsRefused } = situation.cluster;
  if (credentialsRefused) return refused(`the cluster does not show its birthmark: ${credentialsRefused}`);
  await rememberCluster(world, situation, true);
  const { birthmark } = await readMark(world.machine, world.places);
  const before = situation.observed.mark.birthmark || 'none';
  if (before === birthmark) return refused('this node belongs to the cluster that serves already');
  return accepted(
    `This node belongs to cluster ${situation.cluster.clusterId} with birthmark ${birthmark || '(none yet; it gets one when all members are well)'} now; before, it remembered ${before}.`,
  );
}

export const adoptCommand: CommandSpec = {
  name: 'adopt',
  run: async (given) => {
    const accept = given.found ? found : given.keep ? keep : given.discardAhead ? discardAhead : cluster;
    const { code, message } = await accept(await look());
    if (code === EXIT.done) openLog('adopt').warn({ event: 'adopted', options: given }, message);
    console.log(retell(message));
    return code;
  },
};
