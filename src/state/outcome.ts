import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

const outcomes = ['healed', 'refused', 'failed', 'parked', 'nothing'] as const;

/** How a run of `heal-node.service` ended. */
export interface Outcome {
  readonly outcome: (typeof outcomes)[number];
  /** A sentence: what was found, what was done, what to do next. */
  readonly message: string;
}

/** The outcome of the last run, for whoever asked for it. */
export const outcomeFile = jsonFile(
  v.object({ outcome: v.picklist(outcomes), message: v.string(), atMs: v.number() }),
);
