import { metricsText } from '../report/metrics.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { look } from './look.ts';

export const metricsCommand: CommandSpec = {
  name: 'metrics',
  run: async () => {
    const { world, situation } = await look();
    process.stdout.write(await metricsText(world.machine, world.places, situation));
    return EXIT.done;
  },
};
