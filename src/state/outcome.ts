import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

const schema = v.object({
  outcome: v.picklist(['healed', 'refused', 'failed', 'parked', 'nothing']),
  /** A sentence: what was found, what was done, what to do next. */
  message: v.string(),
  atMs: v.number(),
});

/** How a run of `heal-node.service` ended. */
export type Outcome = Readonly<Omit<v.InferOutput<typeof schema>, 'atMs'>>;

/** The outcome of the last run, for whoever asked for it. */
export const outcomeFile = jsonFile(schema);
