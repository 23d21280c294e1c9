import { diagnose } from '../diagnose/diagnose.ts';
import { situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import { realWorld } from '../observe/real-world.ts';
import { jsonText } from '../report/json-text.ts';
import { loadSettings } from '../settings/load-settings.ts';

export type Looked = Awaited<ReturnType<typeof look>>;

/** What every telling command begins with. @throws SettingsError */
export async function look() {
  const settings = loadSettings();
  const world = realWorld(settings);
  const situation = situationOf(await observe(world), world.places);
  return { settings, world, situation, diagnosis: diagnose(situation) };
}

export const printJson = (value: unknown): void => console.log(jsonText(value, 2));
