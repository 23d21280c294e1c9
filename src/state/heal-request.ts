import * as v from 'valibot';
import { jsonFile } from './json-file.ts';

/** Who may ask for a heal. In manual mode only an operator's request begins one. */
const askers = ['health-check', 'health-action', 'start', 'gate', 'operator'] as const;
export type Asker = (typeof askers)[number];

/** That somebody wants `heal-node.service` to look; what to do it decides from what it sees. */
export const requestFile = jsonFile(v.object({ by: v.picklist(askers), atMs: v.number() }));
