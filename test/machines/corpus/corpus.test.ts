/** What `diagnose` makes of every kind of failure, on a real etcd under a real systemd, one after the other. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Bed } from '../bed/bed.ts';
import type { TestMachine } from '../bed/machine.ts';
import { createCluster } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, memberList, originals, traces } from '../bed/world.ts';
import { type Case, cases } from './cases.ts';

const ENV = '/opt/app/conf/etcd.env';
const DATA = '/var/lib/etcd/default.etcd';
let bed: Bed;
const rows: string[] = [];

/** Membership, and which directory is the data dir: nothing but a heal may change either. */
const untouchable = async (bad: TestMachine): Promise<string> => {
  const witness = bed.machines.find((machine) => machine !== bad) as TestMachine;
  const list = await memberList(bed, witness).catch(() => []);
  return `${JSON.stringify(list)} ${(await bad.run('stat', '-c', '%i', DATA)).stdout}`;
};

const healthy = (bad: TestMachine, boundMs: number): Promise<boolean | undefined> =>
  until('it is healthy', async () => (await bad.hook('health-check')).code === 0, boundMs);
/** A member that could not be brought back would make every case after it fail for no reason of its own. */
let lost = '';
/** Only the cases whose name has this in it. */
const only = process.argv[2] ?? '';

async function tell(one: Case): Promise<void> {
  const bad = bed.machine(2);
  await bad.sh(
    `systemctl stop etcd; systemctl reset-failed etcd; rm -rf /var/lib/etcd/good; cp -a --sparse=always ${DATA} /var/lib/etcd/good; cp -p ${ENV} /root/etcd.env`,
  );
  const unitAndEnv = await originals(bad);
  await one.arrange(bad, bed);
  const ends = one.ends ?? 'failed';
  if (ends !== 'as-it-is') await bad.sh('systemctl reset-failed etcd; systemctl start --no-block etcd');
  if (ends === 'failed') await etcdFailed(bad);
  if (ends === 'running')
    await until('it runs', async () => (await bad.run('systemctl', 'is-active', 'etcd')).code === 0);
  await one.meanwhile?.(bad, bed);

  let found = { verdict: '', reason: '', evidence: [] as unknown[] };
  let tookMs = 0;
  // What a process, a cable or an alarm has just gone through takes etcd a moment to show.
  const told = await until(
    `${one.name} is told`,
    async () => {
      const beganMs = Date.now();
      const { stdout } = await bad.cli('diagnose', '--json');
      tookMs = Date.now() - beganMs;
      found = JSON.parse(stdout);
      return found.reason === one.reason;
    },
    15_000,
    200,
  ).catch(() => false);
  rows.push(
    `${one.name.padEnd(52)} ${found.verdict.padEnd(13)} ${found.reason.padEnd(32)} ${(tookMs / 1000).toFixed(2)} s`,
  );
  const log = told
    ? ''
    : (await bad.run('journalctl', '-u', 'etcd', '-n', '15', '--no-pager', '-o', 'cat')).stdout;
  assert.is(found.reason, one.reason, `${JSON.stringify(found.evidence, null, 1)}\n${log}`);
  if (found.verdict !== 'stale' && !one.heals) {
    const before = await untouchable(bad);
    const { stdout } = await bad.hook('health-action');
    assert.is(await untouchable(bad), before, `the action touched neither list nor data: ${stdout}`);
  }
  if (one.heals) {
    await bad.sh('rm -rf /var/lib/etcd/heal-node/history');
    const healed = await bad.hook('health-action');
    assert.is(healed.code, 0, healed.stdout);
    // The action waits for it only so long; without trouble it is over in a second or two.
    await until('the heal is over', async () => (await bad.cliJson('status')).heal === null);
    if (!one.editsEnv) assert.is(await originals(bad), unitAndEnv, 'unit and environment are the originals');
    assert.is(await traces(bad), '', 'nothing of the swap is left');
  }
}

async function mend(one: Case): Promise<void> {
  const bad = bed.machine(2);
  await one.tidy?.(bad, bed);
  await bad.sh(
    `systemctl stop etcd; systemctl reset-failed etcd 2>/dev/null; cp -p /root/etcd.env ${ENV}; ` +
      (one.keeps || one.heals
        ? 'rm -rf /var/lib/etcd/good; '
        : `rm -rf ${DATA}; mv /var/lib/etcd/good ${DATA}; `) +
      'systemctl start --no-block etcd',
  );
  // A broken member may have acknowledged something before it crashed: then the copy is too old, and only a heal helps.
  await healthy(bad, 8_000).catch(async () => {
    await bad.sh('rm -rf /var/lib/etcd/heal-node/history; /opt/heal-node/bin/health-action');
    await healthy(bad, 30_000);
  });
}

test('the machines boot', async () => {
  bed = await Bed.boot({
    // An action that waits for what cannot be restarted waits less long here.
    image: (dir) => appendFileSync(join(dir, 'opt/app/conf/heal-node.env'), 'HEAL_ACTION_TIMEOUT=8s\n'),
  });
  await createCluster(bed);
  // Some data, so that there is something to damage.
  const client = bed.client();
  await client.writes(1000);
  await client.stop();
});

for (const one of cases.filter(({ name }) => name.includes(only))) {
  if (one.possible?.() === false) {
    rows.push(`${one.name.padEnd(52)} cannot be made on this host`);
    continue;
  }
  test(`${one.name}: ${one.reason}`, async () => {
    if (lost !== '') throw new Error(`the member was lost in: ${lost}`);
    lost = one.name;
    const failed = await tell(one).catch((error: Error) => error);
    await mend(one).catch((error: Error) => {
      throw failed ?? error;
    });
    lost = '';
    if (failed) throw failed;
  });
}

test('down, and the table', async () => {
  await bed.down();
  console.log(`\n${rows.join('\n')}`);
});

test.run();
