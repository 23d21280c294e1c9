import * as v from 'valibot';
import { index } from './adopted-file.ts';
import { jsonFile } from './json-file.ts';

/**
 * Whose data the gate has refused to start, and why, as the cluster said then. Of another member's that goes on to hold
 * while it is silent; of this node's own, which were ahead of it, where they have committed just that index, also when it
 * has overtaken them: they are of another history all the same.
 */
export const foreignFile = jsonFile(
  v.object({ memberId: v.string(), why: v.string(), commit: v.optional(index) }),
);
