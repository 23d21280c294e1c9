/** Tells one row on a cluster that stands: what fails, what comes of it, and that nothing else has changed. */
import * as assert from 'uvu/assert';
import { AppCenter } from '../bed/appcenter.ts';
import type { TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { hashes, memberList, originals, pastHeals, traces, unitState } from '../bed/world.ts';
import { expectAllWrites, idsOf } from '../scenarios/stories.ts';
import type { Expected, Ground, Refused, Row } from './row.ts';

export interface Told {
  /** The reason, or what it came to. */
  readonly outcome: string;
  /** From the moment at which the member could have been up to the outcome. */
  readonly tookMs: number;
}

const DATA = '/var/lib/etcd/default.etcd';
/** What the app keeps on the data disk in TLS mode. */
const CERTIFICATES = ['ca', 'ca-key', 'client', 'client-key', 'peer', 'peer-key', 'server', 'server-key'].map(
  (name) => `/var/lib/etcd/ssl/etcd/${name}.pem`,
);
const APPS = ['/var/lib/etcd/lost+found', '/var/lib/etcd/ssl', '/var/lib/etcd/ssl/etcd', ...CERTIFICATES];
const WRITES = 20;
const ACTIONS = 2;

type Ids = ReadonlyMap<string, string>;

/** The members' IDs, where anybody serves. */
const ids = ({ bed, members }: Ground): Promise<Ids | undefined> =>
  idsOf({ bed, machines: members, machine: (sid) => bed.machine(sid) }).catch(() => undefined);

/** The same, where they serve: before anything is broken, and when all is whole again. */
const listedIds = (ground: Ground): Promise<Ids> => until('the members are listed', () => ids(ground));

const isHealthy = (machine: TestMachine): Promise<boolean> =>
  until(`${machine.name} is healthy`, async () => (await machine.hook('health-check')).code === 0, 120_000);

/** Which files hold its data: a heal sets them aside, and nothing else may touch them. */
const dataOf = async (machine: TestMachine): Promise<string> =>
  (await machine.run('sh', '-c', `cd ${DATA} && stat -c '%i %n' . member member/wal member/snap/db`))
    .stdout || 'none';

const unitOf = async (machine: TestMachine, alone: boolean): Promise<string> =>
  (await originals(machine))
    .split('\n')
    .filter((line) => !alone || !line.includes('etcd.env'))
    .join('\n');

/** All serve, each once in the list, with the same data, on their originals. */
async function expectWhole(ground: Ground): Promise<void> {
  const { bed, members, listed } = ground;
  for (const each of members) {
    await isHealthy(each);
    assert.is(await traces(each, ...APPS), '', `nothing is left of a heal on ${each.name}`);
    assert.is(await unitState(each), 'active');
  }
  const list = await until('one lists them', () =>
    memberList(bed, members[0] as TestMachine).catch(() => undefined),
  );
  assert.equal(list.filter(({ started }) => started).length, listed, 'all members are listed once');
  await until(
    'the data are equal on all members',
    async () => new Set(await hashes(bed, members)).size === 1,
  );
}

async function breakThem({ failure, dead = [] }: Row, ground: Ground, bad: readonly TestMachine[]) {
  for (const sid of dead) await ground.bed.machine(sid).powerOff();
  await failure.breaks(ground, bad);
  const beganMs = Date.now();
  const begins = failure.begins ?? (() => Promise.all(bad.map((each) => each.powerOn(false))));
  await begins(ground, bad);
  return beganMs;
}

async function tellHealed(row: Row, ground: Ground, { reason }: Expected & { is: 'healed' }): Promise<Told> {
  const { bed, members } = ground;
  const bad = row.on.map((sid) => bed.machine(sid));
  const dead = (row.dead ?? []).map((sid) => bed.machine(sid));
  const writer = bed.client({ to: members });
  const ends: (() => Promise<unknown>)[] = [() => writer.stop()];
  try {
    await writer.writes(WRITES);
    const before = await listedIds(ground);
    const alone = row.failure.rewritesEnv ?? false;
    const units = await Promise.all(bad.map((each) => unitOf(each, alone)));
    if (row.failure.inQuiet) await writer.stop();
    const past = new Set(bad.flatMap((each) => pastHeals(each).map(({ id }) => id)));
    const beganMs = await breakThem(row, ground, bad);
    const platform = new AppCenter(members, { speedup: 60 });
    ends.push(() => platform.stop());
    if (dead.length > 0) {
      const old = bad.map(({ name }) => before.get(name));
      await until(
        'the old IDs are gone',
        async () => {
          const list = [...((await ids(ground)) ?? [])].map(([, id]) => id);
          return list.length > 0 && !old.some((id) => id !== undefined && list.includes(id));
        },
        180_000,
      );
      for (const each of dead) await each.powerOn(false);
    }
    const heals = bad.map((each) =>
      until(
        `${each.name} is healed`,
        async () => pastHeals(each).find(({ id, outcome }) => outcome === 'healed' && !past.has(id)),
        240_000,
        100,
      ),
    );
    const records = await Promise.all(heals);
    const tookMs = Date.now() - beganMs;
    await Promise.all(bad.map(isHealthy));
    if (!row.failure.inQuiet) await writer.writes(WRITES);
    for (const end of ends.splice(0).reverse()) await end();
    assert.equal(
      platform.overdue().map(({ machine, kind }) => `${kind} on ${machine.name}`),
      [],
      'AppCenter had to kill no hook',
    );
    await expectWhole(ground);
    const after = await listedIds(ground);
    for (const { name } of members) {
      const replaced = bad.some((each) => each.name === name);
      const same = after.get(name) === before.get(name);
      assert.is(same, !replaced, `${name} ${replaced ? 'has a new ID' : 'keeps its ID'}`);
    }
    assert.equal(
      await Promise.all(bad.map((each) => unitOf(each, alone))),
      units,
      'on the originals, byte for byte',
    );
    await expectAllWrites(bed, members, writer);
    const reasons = [...new Set(records.map((record) => record.reason))].join(', ');
    assert.is(reasons, reason);
    return { outcome: `healed (${reasons})`, tookMs };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const fits = (reason: string, expected: Refused['reason']): boolean =>
  typeof expected === 'string' ? reason === expected : expected.test(reason);

async function tellRefused(row: Row, ground: Ground, expected: Refused): Promise<Told> {
  const { bed, members } = ground;
  const bad = bed.machine(row.on[0] ?? 1);
  const others = members.filter((each) => each !== bad);
  const serves = others.length > 0 && !expected.unserved;
  const writer = bed.client({ to: others.length > 0 ? others : members });
  const ends: (() => Promise<unknown>)[] = [() => writer.stop()];
  try {
    await writer.writes(WRITES);
    const before = await listedIds(ground);
    const beganMs = await breakThem(row, ground, [bad]);
    const broken = { data: await dataOf(bad), unit: await unitOf(bad, true) };
    let reason = '';
    const look = async (): Promise<boolean> => {
      const { verdict, reason: found, evidence } = await bad.cliJson('diagnose');
      const isWrong = expected.never?.test(found) ?? (verdict === 'stale' && !fits(found, expected.reason));
      if (isWrong) throw new Error(`a wrong verdict: ${found}: ${JSON.stringify(evidence)}`);
      reason = found;
      return fits(found, expected.reason);
    };
    await until(`it is ${expected.reason}`, look, 180_000).catch((error: Error) => {
      throw new Error(`${error.message}; last ${reason}`);
    });
    const tookMs = Date.now() - beganMs;
    const platform = new AppCenter([bad], { speedup: 60 });
    ends.push(() => platform.stop());
    const actions = await until(
      `${ACTIONS} actions have been called`,
      async () => platform.actionsOn(bad).length >= ACTIONS && platform.actionsOn(bad),
      180_000,
    );
    await ends.pop()?.();
    const asks = (await bad.cli('heal', '--help')).stdout.includes('--yes');
    const byHand = await bad.cli('heal', ...(asks ? ['--yes'] : []));
    const nothing = byHand.code === 0 && /nothing to heal/.test(byHand.stdout);
    assert.ok(
      nothing || byHand.code === 1 || byHand.code === 3,
      `a heal by hand ends with ${byHand.code}: ${byHand.stdout} ${byHand.stderr}`,
    );
    for (const { code, output, overdue } of actions) {
      assert.ok(!overdue, `the action was killed: ${output}`);
      assert.ok(expected.action.includes(code), `the action ends with ${code}: ${output}`);
    }
    const said = [...actions.map(({ output }) => output), byHand.stdout, byHand.stderr].join('\n');
    if (expected.says) assert.match(said, expected.says);
    await look();
    if (serves) assert.equal(await listedIds(ground), before, 'the member list is as it was');
    assert.is(await dataOf(bad), broken.data, 'its data are untouched');
    assert.is(await unitOf(bad, true), broken.unit);
    assert.is(await traces(bad, ...APPS), '', 'nothing is left half-done');
    if (serves) await writer.writes(WRITES);
    await writer.stop();
    if (expected.tidy) {
      await expected.tidy(ground, bad);
      await expectWhole(ground);
      await expectAllWrites(bed, members, writer);
      const after = await listedIds(ground);
      if (expected.healsThen) assert.is.not(after.get(bad.name), before.get(bad.name));
      else assert.equal(after, before);
    }
    return { outcome: reason, tookMs };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function tellRecovers(row: Row, ground: Ground): Promise<Told> {
  const { bed, members } = ground;
  const bad = row.on.map((sid) => bed.machine(sid));
  const writer = bed.client({ to: members });
  const ends: (() => Promise<unknown>)[] = [() => writer.stop()];
  try {
    await writer.writes(WRITES);
    const before = await listedIds(ground);
    const data = await Promise.all(bad.map(dataOf));
    const beganMs = await breakThem(row, ground, bad);
    const platform = new AppCenter(members, { speedup: 60 });
    ends.push(() => platform.stop());
    await Promise.all(bad.map(isHealthy));
    const tookMs = Date.now() - beganMs;
    await writer.writes(WRITES);
    for (const end of ends.splice(0).reverse()) await end();
    await expectWhole(ground);
    assert.equal(await listedIds(ground), before, 'nobody was replaced');
    assert.equal(await Promise.all(bad.map(dataOf)), data, 'on the data that it had');
    await expectAllWrites(bed, members, writer);
    return { outcome: 'healthy again, as the same member', tookMs };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function tellHealthy(
  row: Row,
  ground: Ground,
  { checks, diagnoses }: Expected & { is: 'healthy' },
): Promise<Told> {
  const { bed, members } = ground;
  const writer = bed.client({ to: members });
  try {
    await writer.writes(WRITES);
    const before = await listedIds(ground);
    await breakThem(row, ground, []);
    const beganMs = Date.now();
    let longestMs = 0;
    await Promise.all(
      members.map(async (each) => {
        for (let n = 0; n < checks; n++) {
          const { code, stdout, tookMs } = await each.hook('health-check');
          assert.is(code, 0, `check ${n} of ${each.name}: ${stdout}`);
          longestMs = Math.max(longestMs, tookMs);
        }
        for (let n = 0; n < diagnoses; n++) {
          const { verdict, reason } = await each.cliJson('diagnose');
          assert.is(verdict, 'healthy', `diagnosis ${n} of ${each.name}: ${reason}`);
        }
      }),
    );
    await writer.stop();
    assert.equal(await listedIds(ground), before, 'nobody was replaced');
    for (const each of members) assert.is(await traces(each, ...APPS), '');
    await expectAllWrites(bed, members, writer);
    const of = members.length;
    return {
      outcome: `healthy in ${checks * of} checks and ${diagnoses * of} diagnoses; longest check ${longestMs} ms`,
      tookMs: Date.now() - beganMs,
    };
  } finally {
    await writer.stop();
  }
}

export async function tellRow(row: Row, ground: Ground): Promise<Told> {
  const { expects } = row;
  if (expects.is === 'healed') return tellHealed(row, ground, expects);
  if (expects.is === 'refused') return tellRefused(row, ground, expects);
  return expects.is === 'recovers' ? tellRecovers(row, ground) : tellHealthy(row, ground, expects);
}
