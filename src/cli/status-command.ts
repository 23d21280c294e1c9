import { healRuns } from '../act/ask-for-heal.ts';
import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import { deepCheckFile, differs } from '../state/deep-check-file.ts';
import { healRecordFile, history } from '../state/heal-record.ts';
import { retell, tell } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { headline, whatNext } from './diagnose-command.ts';
import { type Looked, look, printJson } from './look.ts';
import { watch } from './watch.ts';

/** The listed members, each with how it sees the cluster, or why it does not say. */
function membersOf({ situation: { self, cluster }, diagnosis: { members } }: Looked) {
  const replies = [self, ...cluster.serving.map(({ reply }) => reply)];
  return members.map((member) => {
    const reply = replies.find((each) => each?.memberId === member.id);
    const silent = cluster.silent.find(({ endpoint }) => member.clientUrls.includes(endpoint));
    if (!reply) return { ...member, serves: false, sees: silent?.why ?? 'it does not answer' };
    const leader = members.find(({ id }) => id === reply.leader)?.name || 'not known';
    const sees = `leader ${leader}, term ${reply.term}, revision ${reply.revision}, ${reply.members.length} members`;
    return { ...member, serves: reply.serves, sees };
  });
}

/** What the number of members that may still fail comes to. */
const toleranceText = (tolerance: number): string =>
  tolerance > 0
    ? tell('Failure tolerance: {0}.', tolerance)
    : tolerance === 0
      ? tell('Failure tolerance: {0}, one more failure and the cluster stops.', tolerance)
      : tell('Failure tolerance: {0}, the cluster has no quorum.', tolerance);

export const statusCommand: CommandSpec = {
  name: 'status',
  run: async ({ json, watch: watches }) => {
    if (watches) return watch();
    const looked = await look();
    const { settings, world, situation, diagnosis } = looked;
    const { machine, places } = world;
    const unfinished = await healRecordFile.read(machine, places.journal);
    const last = (await history(machine, places)).at(-1);
    const step = unfinished?.steps.at(-1)?.id ?? '';
    const runs = await healRuns(machine);
    const { verdict, reason, means, node } = diagnosis;
    const members = membersOf(looked);
    const tolerance = failureTolerance(situation);
    const { paused = null, birthmarkMismatch = null, cluster } = situation;
    const compared = await deepCheckFile.read(machine, places.deepCheck);
    const isKnown = differs(compared) && (compared.confirmed || compared.state === 'split');
    const diverged = isKnown ? compared.text : null;
    const found = { verdict, reason, means, node, members, diverged, birthmarkMismatch, paused };
    if (json) {
      const heal = unfinished && { id: unfinished.id, startedAt: unfinished.startedAt, step, running: runs };
      const { id, endedAt, outcome, message } = last ?? {};
      const heals = { heal: heal ?? null, lastHeal: last ? { id, endedAt, outcome, message } : null };
      const about = { mode: settings.mode, failureTolerance: tolerance ?? null };
      printJson({ schema: 'heal-node.status/2', ...found, ...about, ...heals });
    } else {
      const stands = runs ? 'Heal {0} is under way at {1}.' : 'Heal {0} is not finished; it stopped at {1}.';
      const lines = [
        headline(looked),
        ...members.map(({ id, name, peerUrls, serves, sees }) => {
          const own = id === node.memberId ? tell(' (this node)') : '';
          const view = tell(serves ? 'serves: {0}' : 'does not serve: {0}', sees);
          return `  ${id} ${name || tell('not started yet')} ${peerUrls.join(',')}${own}\n    ${view}`;
        }),
        cluster.disagreement && retell('They disagree: {0}.', cluster.disagreement),
        tolerance !== undefined && toleranceText(tolerance),
        unfinished && tell(stands, unfinished.id, step),
        birthmarkMismatch && retell('Beware: {0}.', birthmarkMismatch),
        diverged && retell('The data are not to be trusted: {0}.', diverged),
        last &&
          retell('The last heal, {0}, ended at {1}: {2}', last.id, last.endedAt ?? '?', last.message ?? ''),
        ...(verdict === 'healthy'
          ? [paused && retell('No heal is begun or taken up: {0}.', paused)]
          : whatNext(looked)),
      ];
      for (const line of lines) if (line) console.log(line);
    }
    return verdict === 'healthy' ? EXIT.done : EXIT.notHealthy;
  },
};
