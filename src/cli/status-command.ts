import { healRuns } from '../act/ask-for-heal.ts';
import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import { healRecordFile, history } from '../state/heal-record.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { whatNext } from './diagnose-command.ts';
import { look, printJson } from './look.ts';

export const statusCommand: CommandSpec = {
  name: 'status',
  what: 'says how this member is, whether a heal is under way, and how the last one ended',
  json: 'heal-node.status/2',
  exits: '0 healthy, 4 not healthy, 2 settings',
  run: async ({ json }) => {
    const { settings, world, situation, diagnosis } = await look();
    const { machine, places } = world;
    const unfinished = await healRecordFile.read(machine, places.journal);
    const last = (await history(machine, places)).at(-1);
    const step = unfinished?.steps.at(-1)?.id ?? '';
    const runs = await healRuns(machine);
    const { verdict, reason, means, node, members } = diagnosis;
    const tolerance = failureTolerance(situation);
    const diverged = situation.observed.divergence?.confirmed
      ? situation.observed.divergence.text
      : undefined;
    if (json) {
      const heal = unfinished && { id: unfinished.id, startedAt: unfinished.startedAt, step, running: runs };
      const lastHeal = last && {
        id: last.id,
        endedAt: last.endedAt,
        outcome: last.outcome,
        message: last.message,
      };
      printJson({
        schema: 'heal-node.status/2',
        mode: settings.mode,
        verdict,
        reason,
        means,
        node,
        members,
        failureTolerance: tolerance ?? null,
        heal: heal ?? null,
        lastHeal: lastHeal ?? null,
        diverged: diverged ?? null,
        birthmarkMismatch: situation.birthmarkMismatch ?? null,
        paused: situation.paused ?? null,
      });
    } else {
      console.log(`${node.name || 'This node'} is ${verdict} (${reason}): ${means}.`);
      for (const member of members) {
        const own = member.id === node.memberId ? ' (this node)' : '';
        console.log(`  ${member.id} ${member.name || 'not started yet'} ${member.peerUrls.join(',')}${own}`);
      }
      if (tolerance !== undefined)
        console.log(
          `Failure tolerance: ${tolerance}${tolerance > 0 ? '' : tolerance === 0 ? ', one more failure and the cluster stops' : ', the cluster has no quorum'}.`,
        );
      if (unfinished)
        console.log(
          `Heal ${unfinished.id} is ${runs ? `under way at ${step}` : `not finished; it stopped at ${step}`}.`,
        );
      if (situation.birthmarkMismatch) console.log(`Beware: ${situation.birthmarkMismatch}.`);
      if (diverged) console.log(`Its data are not to be trusted: ${diverged}.`);
      if (last) console.log(`The last heal, ${last.id}, ended at ${last.endedAt ?? '?'}: ${last.message}`);
      if (verdict !== 'healthy')
        for (const line of whatNext(diagnosis, settings, situation.paused)) console.log(line);
    }
    return verdict === 'healthy' ? EXIT.done : EXIT.notHealthy;
  },
};
