import { diagnose } from '../diagnose/diagnose.ts';
import { situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import { realWorld } from '../observe/real-world.ts';
import { jsonText } from '../report/json-text.ts';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings-table.ts';
import { languageOf, say, type Values } from '../words/words.ts';

export type Tell = ReturnType<typeof speaker>['tell'];
export type Looked = Awaited<ReturnType<typeof look>>;

/** The language of the one who asks, and what says a sentence in it (src/words). */
export function speaker(settings: Settings) {
  const language = languageOf(settings.language, process.env);
  return { language, tell: (sentence: string, ...values: Values) => say(language, sentence, ...values) };
}

/** What every telling command begins with. @throws SettingsError */
export async function look() {
  const settings = loadSettings();
  const world = realWorld(settings);
  const situation = situationOf(await observe(world), world.places);
  return { settings, world, situation, diagnosis: diagnose(situation), ...speaker(settings) };
}

export const printJson = (value: unknown): void => console.log(jsonText(value, 2));
