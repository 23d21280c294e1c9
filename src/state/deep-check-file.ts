import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

const schema = v.object({
  atMs: v.number(),
  /** Whose data were compared. */
  memberId: v.string(),
  state: v.picklist(['equal', 'differs', 'unknown']),
  /** It differed twice, this member alone against all others in agreement. */
  confirmed: v.boolean(),
  text: v.string(),
});

export type DeepCheckResult = v.InferOutput<typeof schema>;

/** What the last deep check found. Its time of change says when the next one is due (hooks/health-check.ts). */
export const deepCheckFile = jsonFile(schema);
