import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

/** An index of the log, as text: JSON's numbers are not exact beyond 2^53. */
export const index = v.pipe(v.string(), v.regex(/^\d{1,20}$/));

/**
 * What a person has accepted to lose with `heal-node adopt --discard-ahead`: what this member's data have committed and
 * the cluster does not know, up to this index. It holds for these data alone.
 */
export const adoptedFile = jsonFile(v.object({ memberId: v.string(), commit: index }));
