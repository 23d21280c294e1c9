import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakDisk, breakMember, type DiskBreakage } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { serves } from '../bed/world.ts';
import { expire, fromAnotherAuthority } from './certificates.ts';
import type { Failure, Ground } from './row.ts';

const DATA = '/var/lib/etcd/default.etcd';
const VIEW = 'opt/app/bin/.env';

/** They lose their power, and what is done to them is done while they are off. */
const off =
  (does: (machine: TestMachine) => Promise<void> | void): Failure['breaks'] =>
  async (_, bad) => {
    for (const each of bad) {
      await each.powerOff();
      await does(each);
    }
  };

const onDisk = (name: string, how: DiskBreakage): Failure => ({
  name,
  breaks: off((machine) => breakDisk(machine, how)),
});

export const dataGone = onDisk('data dir gone', 'data-gone');
export const walDamaged = onDisk('WAL damaged', 'wal-damaged');
export const dbDamaged = onDisk('database damaged', 'db-damaged');

/** Where it lies beside the data dir, which stays; without a WAL a data dir holds nothing that etcd would start on. */
export const walApartGone: Failure = {
  name: 'WAL dir gone',
  breaks: off((machine) => rmSync(join(machine.dataDisk, 'wal'), { recursive: true })),
};

export const volumeLost: Failure = {
  name: 'volume lost',
  breaks: off((machine) => machine.freshDataDisk()),
};

export const removed: Failure = {
  name: 'removed meanwhile',
  breaks: async ({ bed }, bad) => {
    for (const each of bad) {
      await each.powerOff();
      await breakMember(bed, each, 'removed');
    }
  },
};

/** A migration: the root disk is the image's, with what confd renders, and AppCenter starts the app. */
const migrated = (name: string, loses: (machine: TestMachine) => Promise<void> | void): Failure => ({
  name,
  breaks: off(async (machine) => {
    await loses(machine);
    const view = readFileSync(machine.onRootDisk(VIEW));
    machine.resetRootDisk();
    writeFileSync(machine.onRootDisk(VIEW), view);
  }),
  begins: async (_, bad) => {
    await Promise.all(
      bad.map(async (each) => {
        await each.powerOn();
        await each.hook('start');
      }),
    );
  },
  rewritesEnv: true,
});

export const migratedDataGone = migrated('root disk put back, data dir gone', (machine) =>
  breakDisk(machine, 'data-gone'),
);
export const migratedVolumeLost = migrated('root disk put back, volume lost', (machine) =>
  machine.freshDataDisk(),
);

/**
 * Data as they were some writes ago. The leader is another one all the while, and its next heartbeat shows what is
 * missing; an append that comes before it would let etcd catch up, without a word that it has forgotten something.
 */
export const olderCopy: Failure = {
  name: 'an older copy of the data',
  inQuiet: true,
  breaks: async ({ bed }, bad) => {
    for (const each of bad) {
      await each.sh(
        `systemctl stop etcd; cp -a --sparse=always ${DATA} /var/lib/etcd/older; systemctl start etcd`,
      );
      await until(`${each.name} serves`, () => serves(bed, each));
      for (const value of ['a', 'b', 'c']) await bed.etcdctl([each.endpoint], 'put', 'after-the-copy', value);
      await each.sh(`systemctl stop etcd; rm -r ${DATA}; mv /var/lib/etcd/older ${DATA}`);
    }
  },
  begins: async (_, bad) => {
    await Promise.all(bad.map((each) => each.sh('systemctl start --no-block etcd')));
  },
};

/** Nothing at all. */
export const nothing: Failure = {
  name: 'nothing',
  breaks: async () => undefined,
  begins: async () => undefined,
};

/** While etcd is stopped; and it is started again. */
const restarted = (name: string, does: (machine: TestMachine) => Promise<unknown>): Failure => ({
  name,
  breaks: async (_, bad) => {
    for (const each of bad) {
      await each.sh('systemctl stop etcd');
      await does(each);
    }
  },
  begins: async (_, bad) => {
    await Promise.all(bad.map((each) => each.sh('systemctl start --no-block etcd')));
  },
});

const loseData = (machine: TestMachine) => machine.sh(`rm -rf ${DATA}`);
const andDataGone = (name: string, does: (machine: TestMachine) => Promise<unknown>): Failure =>
  restarted(`${name}, data dir gone`, async (machine) => {
    await does(machine);
    await loseData(machine);
  });

const forgetNames = (machine: TestMachine) =>
  machine.sh('grep -v cl-healnode /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts');

export const expired = restarted('its certificates have expired', expire);
export const expiredDataGone = andDataGone('its certificates have expired', expire);
export const otherAuthority = restarted('its certificates are of another CA', fromAnotherAuthority);
export const otherAuthorityDataGone = andDataGone('its certificates are of another CA', fromAnotherAuthority);
export const noNames = restarted('its names do not resolve', forgetNames);
export const noNamesDataGone = andDataGone('its names do not resolve', forgetNames);

/** As somebody leaves it who changes the settings. */
const SETTINGS = '/opt/app/conf/heal-node.env';
export const credentialsMissing = andDataGone('credentials missing', (machine) =>
  machine.sh(`sed -i.kept /HEAL_ETCD_/d ${SETTINGS}`),
);
export const credentialsWrong = andDataGone('credentials wrong', (machine) =>
  machine.sh(
    `cp -p ${SETTINGS} ${SETTINGS}.kept; echo wrong >/root/wrong; chmod 600 /root/wrong; sed -i 's|_FILE=.*|_FILE=/root/wrong|' ${SETTINGS}`,
  ),
);
export const settingsBack = (machine: TestMachine) => machine.sh(`mv ${SETTINGS}.kept ${SETTINGS}`);

export const migratedAlone = migrated('root disk put back', () => undefined);

/** All lose their power, and only this one is back: it has never had a quorum since its boot. */
export const alone: Failure = {
  name: 'booted while the others are without power',
  breaks: async ({ members }) => {
    await Promise.all(members.map((each) => each.powerOff()));
  },
};
export const othersBack = async ({ members }: Ground): Promise<void> => {
  await Promise.all(members.map((each) => each.powerOn(false)));
};
