import { requestHeal } from '../act/ask-for-heal.ts';
import { gate } from '../act/gate.ts';
import { attempt } from '../machine/attempt.ts';
import { realWorld } from '../observe/real-world.ts';
import { bestEffort } from '../report/best-effort.ts';
import { openLog } from '../report/log.ts';
import { loadSettings, settingsText } from '../settings/load-settings.ts';
import { usableSettings } from '../settings/parse-settings.ts';
import { retell, tell } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';

export const gateCommand: CommandSpec = {
  name: 'gate',
  run: async () => {
    const loaded = attempt(loadSettings);
    // A typo, or a file that is not root's alone, keeps the hooks from all that is theirs; it must not let a node that has
    // been a member found.
    const settings = loaded ?? usableSettings(attempt(settingsText));
    if (settings.mode === 'off') return EXIT.done;
    const world = realWorld(settings);
    const refused = await gate(world);
    if (refused === undefined) return EXIT.done;
    const log = openLog('gate');
    log.error({ event: 'gate-refused' }, refused);
    // Whatever is wrong with the words must not let etcd start.
    console.log(attempt(() => retell(refused)) ?? refused);
    const until = 'No heal follows until heal-node.env is put right; `heal-node config` says why.';
    if (!loaded) console.log(attempt(() => tell(until)) ?? until);
    if (loaded?.mode === 'auto' && loaded.healAtBoot === 'on')
      await bestEffort(log, world.places.request, requestHeal(world, 'gate'));
    return EXIT.refused;
  },
};
