import { lstatSync } from 'node:fs';
import { install } from '../install/install.ts';
import { clusterJson } from '../install/layout.ts';
import { thisMachine } from '../machine/this-machine.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';

export const installCommand: CommandSpec = {
  name: 'install',
  what: 'puts heal-node on this node, or into an image, and prints the cluster.json lines to change',
  options: [['--root <dir>', 'lays the same files into an image that is not running']],
  run: async ({ root }) => {
    const base = String(root ?? '').replace(/\/+$/, '');
    if (base !== '' && !lstatSync(base, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`--root ${base} is not allowed; allowed is a directory that exists`);
    const changed = install(base, process.execPath);
    if (base === '' && changed.length > 0) await thisMachine.systemctl(['daemon-reload']);
    for (const path of changed) console.log(`laid ${base}${path}`);
    if (changed.length === 0) console.log('Everything was in place already.');
    else console.log(`Change these lines in cluster.json:\n${JSON.stringify(clusterJson, null, 2)}`);
    return EXIT.done;
  },
};
