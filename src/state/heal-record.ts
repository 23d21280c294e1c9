import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Machine } from '../machine/machine.ts';
import { jsonFile } from './json-file.ts';
import type { Places } from './places.ts';

export const DAY_MS = 86_400_000;

/** An ID begins with its time. */
export const HEAL_ID = /^\d{8}T\d{6}Z-[0-9a-f]{6}$/;
const id = v.pipe(v.string(), v.regex(HEAL_ID));
const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{0,16}$/));
const time = v.pipe(v.string(), v.isoTimestamp());
const short = v.pipe(v.string(), v.maxLength(2000));
const took = v.optional(v.number());
const step = v.object({ id: short, startedAt: time, durationMs: took, did: v.optional(short) });
const members = v.optional(v.array(v.object({ id: hex, name: short, peerUrls: v.array(short) })), []);

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
  /** The member list when the first step began, and as it was last known. */
  membersBefore: members,
  membersAfter: members,
  /** The longest answer of one that served before to a question of the heal's, which ends in a linearizable read. */
  longestRead: v.optional(v.object({ endpoint: short, at: time, tookMs: v.number() })),
  steps: v.pipe(v.array(step), v.maxLength(10_000)),
});

export type HealRecord = v.InferOutput<typeof recordSchema>;

/** The journal of an unfinished heal, and each entry of the history. It helps, it is never needed. */
export const healRecordFile = jsonFile(recordSchema);

const KEEP_HISTORY = 100;

const iso = (ms: number): string => new Date(ms).toISOString();

export function newRecord(nowMs: number, by: string, reason: string): HealRecord {
  const startedAt = iso(nowMs);
  const id = `${startedAt.replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;
  const notKnown = { message: '', oldMemberId: '', newMemberId: '' };
  const none = { servedBefore: [], membersBefore: [], membersAfter: [], steps: [] };
  return { schema: 'heal-node.heal/1', id, by, reason, startedAt, ...notKnown, ...none };
}

/** Ends a heal: its entry goes into the history, its journal goes, also where the entry could not be written. */
export async function closeRecord(
  machine: Machine,
  places: Places,
  record: HealRecord,
  outcome: NonNullable<HealRecord['outcome']>,
  message: string,
): Promise<void> {
  const closed = { ...record, endedAt: iso(machine.now()), outcome, message: message.slice(0, 2000) };
  const path = `${places.history}/${record.id}.json`;
  await healRecordFile.write(machine, path, closed).finally(() => machine.remove(places.journal));
  const names = await machine.list(places.history);
  for (const name of names.slice(0, -KEEP_HISTORY)) await machine.remove(`${places.history}/${name}`);
}

/** All heals that can be read, the oldest first. */
export async function history(machine: Machine, places: Places): Promise<HealRecord[]> {
  const names = (await machine.list(places.history)).slice(-KEEP_HISTORY);
  const read = names.map((name) => healRecordFile.read(machine, `${places.history}/${name}`));
  const records = (await Promise.all(read)).filter((record) => record !== undefined);
  return records.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

/** Heals that have begun within a day before `nowMs`, the oldest first, the unfinished one left out. */
export async function healsInLastDay(machine: Machine, places: Places, nowMs: number): Promise<HealRecord[]> {
  const heals = await history(machine, places);
  return heals.filter(({ startedAt }) => Math.abs(nowMs - Date.parse(startedAt)) < DAY_MS);
}
