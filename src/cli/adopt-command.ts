import { rememberCluster } from '../act/birthmark.ts';
import { openLog } from '../report/log.ts';
import { rememberedBirthmark } from '../state/member-mark.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { look } from './look.ts';

export const adoptCommand: CommandSpec = {
  name: 'adopt',
  what: 'accepts the cluster that serves now as the one that this node belongs to, after a restore that a person made',
  exits: '0 accepted, 3 no cluster serves here that could be accepted, 2 settings',
  run: async () => {
    const { world, situation } = await look();
    const { cluster, observed } = situation;
    if (!world.birthmarkOn || !cluster.hasQuorumWithoutSelf) {
      console.log(
        world.birthmarkOn
          ? 'Nothing is accepted: fewer than a quorum of the other members serve, or they disagree; see `heal-node diagnose`.'
          : 'Nothing is accepted: HEAL_BIRTHMARK is off.',
      );
      return EXIT.refused;
    }
    await rememberCluster(world, situation, true);
    const now = await rememberedBirthmark(world.machine, world.places);
    const message = `This node belongs to cluster ${cluster.clusterId} with birthmark ${now || '(none yet; it gets one when all members are well)'} now; before, it remembered ${observed.birthmark || 'none'}.`;
    openLog('adopt').warn({ event: 'adopted', before: observed.birthmark }, message);
    console.log(message);
    return EXIT.done;
  },
};
