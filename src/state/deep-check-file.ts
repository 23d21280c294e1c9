import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

const schema = v.object({
  /** When the data were compared, or could not be. */
  atMs: v.number(),
  /** Whose data were compared. */
  memberId: v.string(),
  /** split: the others differ among themselves, and nobody can say which of all is wrong. */
  state: v.picklist(['equal', 'differs', 'split', 'unknown']),
  /** It differed twice in a row, this member alone against all others in agreement. */
  confirmed: v.boolean(),
  text: v.string(),
  /**
   * When the members were last asked for their hashes, and what that took (src/cluster/comparison-allowance.ts says
   * from it when they may be asked again); estimated where it could not be measured.
   */
  comparison: v.optional(v.object({ atMs: v.number(), longestMs: v.number(), sumMs: v.number() })),
});

export type DeepCheckResult = v.InferOutput<typeof schema>;

/** What the last deep check found. Its time of change says when the next one is due (hooks/health-check.ts). */
export const deepCheckFile = jsonFile(schema);

/** What stands in it where nothing could be found out; what it cost to ask before is not forgotten. */
export const notCompared = (text: string, atMs: number, memberId = '', last?: DeepCheckResult) =>
  ({ ...last, atMs, memberId, state: 'unknown', confirmed: false, text }) as const;

/** The data of some members differ, whoever's. */
export const differs = (found?: DeepCheckResult): found is DeepCheckResult =>
  found?.state === 'differs' || found?.state === 'split';
