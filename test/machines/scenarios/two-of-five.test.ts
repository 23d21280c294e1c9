import { severalStale } from './several-stale.ts';

severalStale('two of five lose their data at the same time, and both come back', 5, [2, 4]);
