import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

/**
 * Whose data the gate has refused to start, and why, as the cluster said then: while it is silent that goes on to
 * hold for the data of this member.
 */
export const foreignFile = jsonFile(v.object({ memberId: v.string(), why: v.string() }));
