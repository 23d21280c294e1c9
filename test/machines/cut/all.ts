/** `npm run cuts`: every way after every effect, with its table. */
import { cutEverywhere, WAYS } from './cut-everywhere.ts';

cutEverywhere('a heal is cut off in every way after every effect', () => WAYS);
