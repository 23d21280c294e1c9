import { severalStale } from './several-stale.ts';

severalStale(
  'three of seven lose their data at the same time, a healer dies between add and start, and all come back',
  7,
  [2, 4, 6],
  true,
);
