import { metricsText } from '../report/metrics.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { look } from './look.ts';

export const metricsCommand: CommandSpec = {
  name: 'metrics',
  what: "prints what it knows in Prometheus' text format, as it stands in /var/lib/heal-node/heal-node.prom",
  run: async () => {
    const { world, situation } = await look();
    process.stdout.write(await metricsText(world.machine, world.places, situation));
    return EXIT.done;
  },
};
