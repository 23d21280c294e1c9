import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { type Machine, ROOT_ONLY_FILE } from '../node/machine.ts';
import type { Places } from '../node/places.ts';

const id = v.pipe(v.string(), v.regex(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{0,16}$/));
const time = v.pipe(v.string(), v.isoTimestamp());
const short = v.pipe(v.string(), v.maxLength(2000));

/**
 * A heal as it is written down: as the journal while it runs, as an entry of the history afterwards. It lies
 * where etcd's user can write, so it is read with this schema, and nothing in it is used but its ID and what
 * people want to know later: what to do is decided from the world.
 */
const recordSchema = v.object({
  schema: v.literal('heal-node.heal/1'),
  id,
  by: short,
  reason: short,
  startedAt: time,
  endedAt: v.optional(time),
  outcome: v.optional(v.picklist(['healed', 'failed', 'refused'])),
  message: v.optional(short, ''),
  oldMemberId: hex,
  newMemberId: hex,
  servedBefore: v.pipe(v.array(short), v.maxLength(100)),
  steps: v.pipe(
    v.array(
      v.object({ id: short, startedAt: time, durationMs: v.optional(v.number()), did: v.optional(short) }),
    ),
    v.maxLength(1000),
  ),
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type HealRecord = Mutable<v.InferOutput<typeof recordSchema>>;

const MAX_BYTES = 1 << 20;
const KEEP_HISTORY = 100;

const iso = (ms: number): string => new Date(ms).toISOString();

export function newRecord(nowMs: number, by: string, reason: string): HealRecord {
  const stamp = iso(nowMs).replace(/[-:]|\.\d+/g, '');
  return {
    schema: 'heal-node.heal/1',
    id: `${stamp}-${randomBytes(3).toString('hex')}`,
    by,
    reason,
    startedAt: iso(nowMs),
    message: '',
    oldMemberId: '',
    newMemberId: '',
    servedBefore: [],
    steps: [],
  };
}

async function read(machine: Machine, path: string): Promise<HealRecord | undefined> {
  try {
    const file = await machine.readFile(path, MAX_BYTES);
    return file && v.parse(recordSchema, JSON.parse(file.text));
  } catch {
    return undefined; // Torn, planted or from another version: it helps, it is never needed.
  }
}

/** The journal of an unfinished heal, where there is one that can be read. */
export const unfinishedRecord = (machine: Machine, places: Places): Promise<HealRecord | undefined> =>
  read(machine, places.journal);

/** Writes the journal as it stands, whole and flushed. */
export const writeRecord = (machine: Machine, places: Places, record: HealRecord): Promise<void> =>
  machine.writeFile(places.journal, `${JSON.stringify(record)}\n`, ROOT_ONLY_FILE);

/** Ends a heal: its entry goes into the history, its journal goes. */
export async function closeRecord(
  machine: Machine,
  places: Places,
  record: HealRecord,
  outcome: NonNullable<HealRecord['outcome']>,
  message: string,
): Promise<void> {
  const closed = { ...record, endedAt: iso(machine.now()), outcome, message: message.slice(0, 2000) };
  await machine.writeFile(
    `${places.history}/${record.id}.json`,
    `${JSON.stringify(closed)}\n`,
    ROOT_ONLY_FILE,
  );
  await machine.remove(places.journal);
  const names = await machine.list(places.history);
  for (const name of names.slice(0, -KEEP_HISTORY)) await machine.remove(`${places.history}/${name}`);
}

/** All heals that can be read, the oldest first. */
export async function history(machine: Machine, places: Places): Promise<HealRecord[]> {
  const records: HealRecord[] = [];
  for (const name of (await machine.list(places.history)).slice(-KEEP_HISTORY)) {
    const record = await read(machine, `${places.history}/${name}`);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** How many heals have begun within a day before `nowMs`, the unfinished one left out. */
export async function healsInLastDay(machine: Machine, places: Places, nowMs: number): Promise<number> {
  const heals = await history(machine, places);
  return heals.filter(
    ({ startedAt, outcome }) => outcome !== 'refused' && Date.parse(startedAt) > nowMs - 86_400_000,
  ).length;
}
