import {
  dataGone,
  dbDamaged,
  migratedDataGone,
  migratedVolumeLost,
  nothing,
  olderCopy,
  removed,
  volumeLost,
  walDamaged,
} from './failures.ts';
import {
  authentication,
  distant,
  five,
  lossy,
  nine,
  olderList,
  rootCertificate,
  scaledIn,
  scaledOut,
  seven,
  three,
  tls,
} from './kinds.ts';
import type { Expected, Failure, Kind, Row } from './row.ts';

const healed = (reason: string): Expected => ({ is: 'healed', reason: `stale/${reason}` });

/** What is healed, whatever the kind of cluster, and as what (docs/failures.md). */
const STALE: readonly (readonly [failure: Failure, expects: Expected])[] = [
  [volumeLost, healed('already-bootstrapped')],
  [dataGone, healed('already-bootstrapped')],
  [walDamaged, healed('wal-damaged')],
  [dbDamaged, healed('db-damaged')],
  [removed, healed('removed')],
  [migratedDataGone, healed('already-bootstrapped')],
  [migratedVolumeLost, healed('already-bootstrapped')],
  [olderCopy, healed('log-short')],
];

/** Every one of these on a kind, each on a member after the other. */
const everyStale = (kind: Kind, sids: readonly number[]): Row[] =>
  STALE.map(([failure, expects], n) => ({ kind, failure, expects, on: [sids[n % sids.length] ?? 1] }));

const lose = (kind: Kind, failure: Failure, on: readonly number[], more: Pick<Row, 'dead'> = {}): Row => ({
  kind,
  failure,
  on,
  expects: healed('already-bootstrapped'),
  ...more,
});

/** So many, on each of three members. */
const wellFor = (kind: Kind): Row => ({
  kind,
  failure: nothing,
  on: [],
  expects: { is: 'healthy', checks: 100, diagnoses: 10 },
});

/** The table. To add one is to add a row; rows of a kind share a bed, in turn. */
export const rows: readonly Row[] = [
  ...everyStale(three, [2, 3, 1]),

  lose(scaledOut, volumeLost, [2]),
  lose(scaledOut, volumeLost, [5]),
  lose(scaledOut, dataGone, [5]),
  lose(scaledOut, dataGone, [1, 4]),
  lose(olderList, dataGone, [2]),
  lose(olderList, volumeLost, [1]),
  lose(olderList, volumeLost, [4]),
  lose(olderList, migratedDataGone, [3]),
  lose(olderList, volumeLost, [2, 5]),
  lose(scaledIn, dataGone, [2]),
  lose(scaledIn, volumeLost, [1]),
  lose(scaledIn, migratedVolumeLost, [3]),

  ...everyStale(tls, [2, 1, 3]),

  ...everyStale(authentication, [2, 1, 3]),
  ...everyStale(rootCertificate, [2, 1, 3]),

  lose(five, volumeLost, [2, 4]),
  lose(five, dataGone, [1], { dead: [3] }),
  lose(seven, volumeLost, [1, 4, 6]),
  lose(seven, dataGone, [2, 3], { dead: [7] }),
  lose(nine, volumeLost, [2, 5, 7, 8]),
  lose(nine, dataGone, [1, 3, 6], { dead: [9] }),

  ...[lossy, distant].flatMap((kind) => [
    wellFor(kind),
    lose(kind, volumeLost, [2]),
    lose(kind, dataGone, [3]),
    { kind, failure: walDamaged, on: [1], expects: healed('wal-damaged') },
  ]),
];
