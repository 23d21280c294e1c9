import { lstatSync } from 'node:fs';
import { healRuns } from '../act/ask-for-heal.ts';
import { install, installShim, shellCallers, uninstall } from '../install/install.ts';
import { clusterJson } from '../install/layout.ts';
import { thisMachine } from '../machine/this-machine.ts';
import { healRecordFile } from '../state/heal-record.ts';
import { tell } from '../words/retell.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { look } from './look.ts';

export const installCommand: CommandSpec = {
  name: 'install',
  run: async ({ root, shim }) => {
    const base = String(root ?? '').replace(/\/+$/, '');
    if (base !== '' && !lstatSync(base, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`--root ${base} is not allowed; allowed is a directory that exists`);
    const changed = [...install(base, process.execPath), ...(shim ? installShim(base) : [])];
    // Also where all is in place: one that failed at the shim has loaded none of it.
    if (base === '') await thisMachine.systemctl(['daemon-reload']);
    for (const path of changed) console.log(tell('laid {0}', `${base}${path}`));
    if (changed.length === 0) console.log(tell('Everything was in place already.'));
    if (!shim)
      console.log(tell('Change these lines in cluster.json:\n{0}', JSON.stringify(clusterJson, null, 2)));
    const callers = shim ? shellCallers(base) : '';
    if (callers) console.log(tell('No shell reads ctl.sh now; leave out `bash` or `sh` in:\n{0}', callers));
    return EXIT.done;
  },
};

export const uninstallCommand: CommandSpec = {
  name: 'uninstall',
  run: async () => {
    const { world, situation } = await look();
    const { machine, places } = world;
    const unfinished = (await healRecordFile.read(machine, places.journal)) !== undefined;
    if (unfinished || situation.swapped || (await healRuns(machine))) {
      console.log(tell('A heal is not finished: `heal-node resume` or `restore` first. Nothing was done.'));
      return EXIT.refused;
    }
    for (const path of uninstall()) console.log(tell('removed {0}', path));
    await machine.remove(places.metrics);
    await machine.systemctl(['daemon-reload']);
    console.log(tell('heal-node is gone. cluster.json must not call it any more; change it now if it does.'));
    return EXIT.done;
  },
};
