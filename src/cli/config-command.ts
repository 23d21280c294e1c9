import { loadSettings, settingsText } from '../settings/load-settings.ts';
import { givenSettings } from '../settings/parse-settings.ts';
import { settingRows } from '../settings/setting-rows.ts';
import { tell } from '../words/retell.ts';
import { type CommandSpec, EXIT } from './command.ts';
import { printJson } from './look.ts';

export const configCommand: CommandSpec = {
  name: 'config',
  run: async ({ json }) => {
    loadSettings(); // says what cannot be used
    const given = givenSettings(settingsText(), process.env);
    const settings = settingRows.map(({ key, what, fallback }) => {
      const { where, text } = given.get(key) ?? { where: 'the default', text: fallback };
      return { key, value: text, from: where, what };
    });
    if (json) printJson({ schema: 'heal-node.config/1', settings });
    else for (const s of settings) console.log(tell('{0}={1}  # from {2}', s.key, s.value, s.from));
    return EXIT.done;
  },
};
