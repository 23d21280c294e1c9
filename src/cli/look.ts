import { type Diagnosis, diagnose } from '../diagnose/diagnose.ts';
import { type Situation, situationOf } from '../diagnose/situation.ts';
import { observe } from '../observe/observe.ts';
import { realWorld } from '../observe/real-world.ts';
import type { World } from '../observe/world.ts';
import { jsonText } from '../report/json-text.ts';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings-table.ts';

export interface Looked {
  readonly settings: Settings;
  readonly world: World;
  readonly situation: Situation;
  readonly diagnosis: Diagnosis;
}

/** What every telling command begins with. @throws SettingsError */
export async function look(): Promise<Looked> {
  const settings = loadSettings();
  const world = realWorld(settings);
  const situation = situationOf(await observe(world), world.places);
  return { settings, world, situation, diagnosis: diagnose(situation) };
}

export const printJson = (value: unknown): void => console.log(jsonText(value, 2));
