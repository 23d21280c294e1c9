import * as v from 'valibot';
import { type Machine, ROOT_ONLY_FILE, type TextFile } from '../../machine/machine.ts';
import { pointEnvironmentFile } from '../../machine/systemd/unit-file.ts';
import { unitOnDisk } from '../../observe/drop-ins.ts';
import type { Places } from '../../state/places.ts';

const rightsSchema = v.object({ mode: v.number(), uid: v.number(), gid: v.number() });

/** The saved original of etcd's unit, from root's own directory; undefined when none is saved. */
async function savedOriginal(machine: Machine, places: Places): Promise<TextFile | undefined> {
  const unit = await machine.readFile(places.originalUnit);
  const rights = await machine.readFile(places.originalRights);
  if (unit === undefined || rights === undefined) return undefined;
  return { text: unit.text, rights: v.parse(rightsSchema, JSON.parse(rights.text)) };
}

/**
 * etcd's unit as it was before any swap: the saved one; else the one in place, or the copy, each with its
 * environment file turned back, for a runbook that somebody began by hand.
 * @throws when there is none of the three.
 */
export async function originalUnit(machine: Machine, places: Places): Promise<TextFile> {
  const saved = await savedOriginal(machine, places);
  if (saved !== undefined) return saved;
  const { unitFile, copyUnitFile, env, copyEnv } = places;
  const onDisk = await unitOnDisk(machine, places);
  if (onDisk === undefined)
    throw new Error(`neither ${unitFile} nor ${copyUnitFile} is there, and no original is saved`);
  return { ...onDisk, text: pointEnvironmentFile(onDisk.text, copyEnv, env).text };
}

/** Saves the original where only root can write. Rights go first: a saved unit is whole only with them. */
export async function saveOriginal(machine: Machine, places: Places): Promise<void> {
  if ((await savedOriginal(machine, places)) !== undefined) return;
  const { text, rights } = await originalUnit(machine, places);
  await machine.writeFile(places.originalRights, JSON.stringify(rights), ROOT_ONLY_FILE);
  await machine.writeFile(places.originalUnit, text, ROOT_ONLY_FILE);
}

/**
 * The saved original goes when the unit stands in place again, and nothing of ours is to be removed any more: a person who
 * has moved it aside meanwhile, as the runbook begins, may have moved it where the copy was taken away.
 * @throws when it is not there
 */
export async function forgetOriginal(machine: Machine, places: Places): Promise<void> {
  const { unitFile, originals, originalRights } = places;
  if ((await machine.kindOf(unitFile)) === 'none')
    throw new Error(`${unitFile} was moved away meanwhile; its original stays in ${originals}`);
  // The unit goes last: while it is there, a heal is not finished, and whoever looks removes the rest.
  for (const path of [originalRights, originals]) await machine.remove(path);
}
