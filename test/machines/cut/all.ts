/** `npm run cuts`: every way after every effect, with its table. */
import { cutEverywhere, WAYS } from './cut-everywhere.ts';

cutEverywhere(0, 1, () => WAYS);
