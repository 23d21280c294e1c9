/**
 * What `diagnose` makes of every kind of failure, and what the health action does about it, on a real etcd under a
 * real systemd, one case after the other on one bed: after each the member is whole again.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Bed } from '../bed/bed.ts';
import { crashed } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { machineLogs } from '../bed/machine-logs.ts';
import { createCluster } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, memberList, originals, pastHeals, traces } from '../bed/world.ts';
import { expectHealed, idsOf } from '../scenarios/stories.ts';
import { type Case, cases } from './cases.ts';

const ENV = '/opt/app/conf/etcd.env';
const DATA = '/var/lib/etcd/default.etcd';
const MEMBERS = [1, 2, 3];

/** Which members of the bed have been healed. */
const healedSids = new Set<number>();
/** A member for a case: those that want one that was never healed use it up, the others take one that was. */
function memberFor(one: Case): TestMachine {
  const fresh = MEMBERS.filter((sid) => !healedSids.has(sid));
  const sid = one.founder ? fresh.at(-1) : ([...healedSids][0] ?? 2);
  if (sid === undefined) throw new Error('too many cases of this bed want a member that was never healed');
  return bed.machine(sid);
}

/** How the health action ends by verdict (docs/verdicts.md); `stale` and `healing` are healed. */
const ACTION_ENDS: Readonly<Record<string, number>> = {
  healthy: 0,
  stopped: 0,
  hung: 0,
  stale: 0,
  healing: 0,
  // The app's restart writes the environment and the owners anew; what it cannot mend says so in its case.
  'local-fault': 0,
  'quorum-lost': 3,
  partitioned: 3,
  amnesia: 3,
  alarmed: 3,
  unknown: 3,
};

let bed: Bed;
const rows: string[] = [];
const tabulate = (one: Case, ...cells: readonly string[]): void => {
  rows.push([one.name.padEnd(56), ...cells].join(' ').trimEnd());
};

const healthy = (bad: TestMachine): Promise<boolean> =>
  until(`${bad.name} is healthy`, async () => (await bad.hook('health-check')).code === 0);

/** Which directory is the data dir, if there is one: nothing but a heal may change it. */
const dataDir = async (bad: TestMachine): Promise<string> =>
  (await bad.run('stat', '-c', '%i', DATA)).stdout || 'none';

/** Looks until the reason is the wished one, and says how long the last look took. A wrong `stale` is never a step. */
async function diagnosed(bad: TestMachine, one: Case): Promise<{ verdict: string; tookMs: number }> {
  let last = { reason: '', verdict: '', evidence: [] as unknown[] };
  let tookMs = 0;
  // What a process, a cable or an alarm has just gone through takes etcd a moment to show.
  await until(
    `${one.name} is ${one.reason}`,
    async () => {
      const { stdout, tookMs: ms } = await bad.cli('diagnose', '--json');
      last = JSON.parse(stdout);
      tookMs = ms;
      if (last.verdict === 'stale' && last.reason !== one.reason) {
        // Of two things that are both true of a stale member the first seen may be the other one.
        assert.match(one.reason, /^(stale|healing)\//, `${last.reason}: ${JSON.stringify(last.evidence)}`);
      }
      return last.reason === one.reason;
    },
    180_000,
    300,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last seen: ${JSON.stringify(last, null, 1)}`);
  });
  return { verdict: last.verdict, tookMs };
}

/** Has the health action heal it, as AppCenter does: again and again, until a heal has ended. */
async function heal(bad: TestMachine): Promise<number> {
  healedSids.add(bad.sid);
  const beganMs = Date.now();
  const last = (): string => pastHeals(bad).findLast(({ outcome }) => outcome === 'healed')?.id ?? '';
  const before = last();
  await until(
    'the action heals',
    async () => {
      await bad.hook('health-action');
      return last() !== before;
    },
    180_000,
    500,
  );
  await healthy(bad);
  return Date.now() - beganMs;
}

async function tell(one: Case): Promise<void> {
  const bad = memberFor(one);
  const witness = bed.machines.find((machine) => machine !== bad) as TestMachine;
  const stage = { bed, machines: bed.machines, machine: (sid: number) => bed.machine(sid) };
  await bad.sh(`systemctl stop etcd; systemctl reset-failed etcd; cp -p ${ENV} /root/etcd.env`);
  const ids = await idsOf(stage);
  const unitAndEnv = await originals(bad);
  await one.arrange(bad, bed);
  const isStale = one.reason.startsWith('stale/');
  // The health action may restart what has ended, and nothing else: it has ended when systemd has given up.
  const ends = one.ends ?? (isStale ? 'crashed' : 'failed');
  const arranged = one.editsEnv ? await originals(bad) : unitAndEnv;
  if (ends !== 'as-it-is') await bad.sh('systemctl reset-failed etcd; systemctl start --no-block etcd');
  if (ends === 'crashed') await crashed(bad);
  if (ends === 'failed') await etcdFailed(bad);
  if (ends === 'running')
    await until('it runs', async () => (await bad.run('systemctl', 'is-active', 'etcd')).code === 0);
  await one.meanwhile?.(bad, bed);

  const { verdict, tookMs } = await diagnosed(bad, one);
  const cells = [verdict.padEnd(13), one.reason.padEnd(32), `${(tookMs / 1000).toFixed(2)} s`.padStart(7)];
  const heals = verdict === 'stale' || verdict === 'healing';
  if (heals) {
    cells.push(`  healed ${((await heal(bad)) / 1000).toFixed(1)} s`);
    await expectHealed(stage, bad.sid, { ids, originals: arranged });
  } else {
    const before = await dataDir(bad);
    const { code, stdout } = await bad.hook('health-action');
    cells.push(`  action ${code}`);
    assert.is(code, one.action ?? ACTION_ENDS[verdict], stdout);
    assert.is(await dataDir(bad), before, `the action did not touch the data: ${stdout}`);
  }
  tabulate(one, ...cells);

  await one.tidy?.(bad, bed);
  await bad.sh(`systemctl stop etcd; systemctl reset-failed etcd; cp -p /root/etcd.env ${ENV}`);
  if (!heals) {
    const list = await until('the others serve', () => memberList(bed, witness).catch(() => undefined));
    const now = new Map(list.map(({ name, id }) => [name, id]));
    assert.equal(now, ids, 'nobody was removed or added');
  }
  if (one.losesData) {
    await bad.sh(`rm -rf ${DATA}; systemctl start --no-block etcd`);
    await heal(bad);
    await expectHealed(stage, bad.sid, { ids, originals: unitAndEnv });
    return;
  }
  await bad.sh('systemctl start --no-block etcd');
  await healthy(bad);
  assert.is(await originals(bad), unitAndEnv, 'unit and environment are as they were');
  assert.is(await traces(bad), '', 'nothing is left of a swap');
}

/** @param part which of the cases, by their number modulo `of`: each part has a bed of its own */
export function corpus(part: number, of: number): void {
  const dealt = (all: readonly Case[]): Case[] => all.filter((_, number) => number % of === part);
  const own = [
    ...dealt(cases.filter(({ founder }) => founder)),
    ...dealt(cases.filter(({ founder }) => !founder)),
  ];
  /** A member that could not be brought back would make every case after it fail for no reason of its own. */
  let lost = '';

  test('the machines boot', async () => {
    bed = await Bed.boot({
      image: (dir) =>
        appendFileSync(
          join(dir, 'opt/app/conf/heal-node.env'),
          // An action that waits for what cannot be restarted waits less long here.
          // And each case is looked at before it is healed; runbooks that are left are nobody's at once.
          'HEAL_ACTION_TIMEOUT=8s\nHEAL_MAX_PER_DAY=100\nHEAL_AT_BOOT=off\nHEAL_TAKE_OVER_AFTER=1ms\n',
        ),
    });
    await createCluster(bed);
    // Some data, so that there is something to damage.
    const client = bed.client({ pauseMs: 0 });
    await client.writes(500);
    await client.stop();
  });

  for (const one of own) {
    test(`${one.name}: ${one.reason}`, async () => {
      const why = one.whyNot?.();
      if (why !== undefined) throw new Error(why);
      if (lost !== '') throw new Error(`the member was lost in: ${lost}`);
      lost = one.name;
      await tell(one).catch(async (error: Error) => {
        for (const machine of bed.machines) console.log(await machineLogs(machine));
        throw error;
      });
      lost = '';
    });
  }

  test('down, and the table', async () => {
    await bed.down();
    console.log(`\n${rows.join('\n')}`);
  });

  test.run();
}
