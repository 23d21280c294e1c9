import * as v from 'valibot';
import type { Machine } from '../machine/machine.ts';
import { jsonFile } from './json-file.ts';

const schema = v.object({
  outcome: v.picklist(['healed', 'refused', 'failed', 'parked', 'nothing']),
  /** A sentence: what was found, what was done, what to do next. */
  message: v.string(),
  atMs: v.number(),
  /** By outcome: how many runs have ended so since the root disk was new, and when the last of them. */
  runs: v.optional(v.record(v.string(), v.object({ count: v.number(), lastMs: v.number() }))),
});

/** How a run of `heal-node.service` ended. */
export type Outcome = Readonly<Pick<v.InferOutput<typeof schema>, 'outcome' | 'message'>>;

/** The outcome of the last run, for whoever asked for it. */
export const outcomeFile = jsonFile(schema);

/** Writes down how a run has ended, and counts it. @throws when it cannot be written; the old file stays */
export async function writeOutcome(machine: Machine, path: string, ended: Outcome): Promise<void> {
  const atMs = machine.now();
  const runs = (await outcomeFile.read(machine, path))?.runs ?? {};
  const run = { count: (runs[ended.outcome]?.count ?? 0) + 1, lastMs: atMs };
  await outcomeFile.write(machine, path, { ...ended, atMs, runs: { ...runs, [ended.outcome]: run } });
}
