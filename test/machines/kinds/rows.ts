import type { TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { pastHeals } from '../bed/world.ts';
import { putBack } from './certificates.ts';
import {
  alone,
  credentialsMissing,
  credentialsWrong,
  dataGone,
  dbDamaged,
  expired,
  expiredDataGone,
  migratedAlone,
  migratedDataGone,
  migratedVolumeLost,
  noNames,
  noNamesDataGone,
  nothing,
  olderCopy,
  otherAuthority,
  otherAuthorityDataGone,
  othersBack,
  removed,
  settingsBack,
  volumeLost,
  walApartGone,
  walDamaged,
} from './failures.ts';
import {
  authentication,
  bullseye,
  byFile,
  byFlags,
  distant,
  five,
  intermediate,
  learner,
  lossy,
  nine,
  olderList,
  one,
  rootCertificate,
  scaledIn,
  scaledOut,
  seven,
  slowDisk,
  three,
  tls,
  trixie,
  unitInLib,
  upgrade,
  upgraded,
  upgradedOnOne,
  upgradedOnTwo,
  walApart,
} from './kinds.ts';
import type { Expected, Failure, Kind, Refused, Row } from './row.ts';

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

const refused = (
  kind: Kind,
  failure: Failure,
  on: number,
  reason: Refused['reason'],
  action: readonly number[],
  more: Omit<Refused, 'is' | 'reason' | 'action'> = {},
): Row => ({ kind, failure, on: [on], expects: { is: 'refused', reason, action, ...more } });

/** It is repaired as a person would, and etcd started; where its data are gone it then heals. */
const repaired =
  (repairs: (machine: TestMachine) => Promise<unknown>): NonNullable<Refused['tidy']> =>
  async (_, bad) => {
    await repairs(bad);
    await bad.sh('systemctl reset-failed etcd; systemctl restart --no-block etcd');
  };
const repairedAndHealed =
  (repairs: (machine: TestMachine) => Promise<unknown>): NonNullable<Refused['tidy']> =>
  async (_, bad) => {
    const past = pastHeals(bad).length;
    await repairs(bad);
    await until(
      `${bad.name} heals`,
      async () => {
        await bad.hook('health-action');
        return pastHeals(bad)
          .slice(past)
          .some(({ outcome }) => outcome === 'healed');
      },
      180_000,
    );
  };
/** Nothing is wrong with the data: a fault of this machine, or one that cannot be told. */
const LOCAL = /^(local-fault|unknown)\//;
/** Or the others give no answer: dead or cut off, it looks alike. */
const UNTOLD = /^(local-fault|unknown)\/|^quorum-lost\/others-silent$/;
/** A cluster that serves is never called lost. */
const LOST = /^(amnesia|quorum-lost)\//;

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
  refused(three, alone, 2, 'quorum-lost/others-silent', [3], { unserved: true, tidy: othersBack }),

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
  refused(tls, expired, 2, LOCAL, [0, 1, 3], { tidy: repaired(putBack) }),
  refused(tls, expiredDataGone, 3, 'local-fault/certificate', [1, 3], {
    tidy: repairedAndHealed(putBack),
    healsThen: true,
  }),
  // Nothing shows on this machine: to each other its certificates are good, and the others do not answer it.
  refused(tls, otherAuthority, 2, UNTOLD, [0, 1, 3], { tidy: repaired(putBack) }),
  refused(tls, otherAuthorityDataGone, 1, 'amnesia/alone-without-data', [3], {
    tidy: repairedAndHealed(putBack),
    healsThen: true,
  }),
  { kind: tls, failure: noNames, on: [2], expects: { is: 'recovers' } },
  lose(tls, noNamesDataGone, [1]),
  lose(intermediate, dataGone, [2]),
  lose(intermediate, volumeLost, [1]),
  lose(intermediate, migratedVolumeLost, [3]),
  refused(intermediate, expiredDataGone, 2, 'local-fault/certificate', [1, 3], {
    tidy: repairedAndHealed(putBack),
    healsThen: true,
  }),

  ...everyStale(authentication, [2, 1, 3]),
  ...[credentialsMissing, credentialsWrong].map((failure) =>
    refused(authentication, failure, 2, 'stale/already-bootstrapped', [3], {
      never: LOST,
      says: /the cluster asks for credentials, and ours are missing or refused/,
      tidy: repairedAndHealed(settingsBack),
      healsThen: true,
    }),
  ),
  ...everyStale(rootCertificate, [2, 1, 3]),
  // etcd's own certificates have expired; the root client's, which are the credentials, are good.
  refused(rootCertificate, expiredDataGone, 2, 'local-fault/certificate', [1, 3], {
    tidy: repairedAndHealed(putBack),
    healsThen: true,
  }),

  refused(one, walDamaged, 1, 'quorum-lost/only-member', [1], { says: /a single member is never healed/ }),
  refused(one, volumeLost, 1, 'amnesia/alone-without-data', [3]),
  refused(one, dataGone, 1, 'amnesia/alone-without-data', [3]),

  lose(five, volumeLost, [2, 4]),
  lose(five, dataGone, [1], { dead: [3] }),
  lose(seven, volumeLost, [1, 4, 6]),
  lose(seven, dataGone, [2, 3], { dead: [7] }),
  lose(nine, volumeLost, [2, 5, 7, 8]),
  lose(nine, dataGone, [1, 3, 6], { dead: [9] }),

  lose(learner, volumeLost, [2]),
  lose(learner, dataGone, [3]),
  refused(learner, dataGone, 4, 'stale/already-bootstrapped', [3], { says: /is a learner/ }),

  ...everyStale(trixie, [2, 3, 1]),
  ...everyStale(bullseye, [2, 3, 1]),
  refused(upgraded, migratedAlone, 2, 'local-fault/etcd-too-old', [1, 3], { tidy: repaired(upgrade) }),
  refused(upgraded, migratedDataGone, 2, 'local-fault/etcd-too-old', [1, 3], {
    tidy: repairedAndHealed(upgrade),
    healsThen: true,
  }),

  lose(upgradedOnOne, dataGone, [2]),
  lose(upgradedOnOne, volumeLost, [1]),
  // Without it the cluster would be of etcd 3.5, which 3.4 does not join.
  refused(upgradedOnTwo, dataGone, 2, 'local-fault/etcd-too-old', [1, 3], {
    tidy: repairedAndHealed(upgrade),
    healsThen: true,
  }),

  lose(walApart, volumeLost, [2]),
  lose(walApart, walApartGone, [3]),
  refused(unitInLib, dataGone, 2, 'stale/already-bootstrapped', [3], {
    says: /etcd's unit is \/lib\/systemd\/system\/etcd\.service, a package's/,
    tidy: repairedAndHealed((bad) =>
      bad.sh('cp /lib/systemd/system/etcd.service /etc/systemd/system/; systemctl daemon-reload'),
    ),
    healsThen: true,
  }),
  refused(byFlags, walDamaged, 2, 'unknown/settings', [0, 1, 3]),
  refused(byFile, walDamaged, 2, 'unknown/settings', [0, 1, 3]),

  ...[lossy, distant, slowDisk].flatMap((kind) => [
    wellFor(kind),
    lose(kind, volumeLost, [2]),
    lose(kind, dataGone, [3]),
    { kind, failure: walDamaged, on: [1], expects: healed('wal-damaged') },
  ]),
];
