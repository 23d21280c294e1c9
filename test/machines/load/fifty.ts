/** `npm run load`: fifty heals in a row on one cluster, with their figures. */
import { healsUnderLoad } from './load.ts';

healsUnderLoad(50);
