import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

/**
 * What a person has accepted to lose with `heal-node adopt --discard-ahead`: what this member's data have committed and
 * the cluster does not know, up to this index. It holds for these data alone.
 */
export const adoptedFile = jsonFile(
  v.object({
    memberId: v.string(),
    commit: v.pipe(v.string(), v.regex(/^\d{1,20}$/)),
  }),
);
