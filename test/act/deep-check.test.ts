import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { deepCheck } from '../../src/act/deep-check.ts';
import { type Cluster, ClusterError } from '../../src/cluster/cluster.ts';
import type { Settings } from '../../src/settings/settings-table.ts';
import { type DeepCheckResult, deepCheckFile } from '../../src/state/deep-check-file.ts';
import { healRecordFile, newRecord } from '../../src/state/heal-record.ts';
import { park } from '../../src/state/parked.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const LIMIT_MS = 777;

/** A check of a member that serves on its originals, while the journal of its heal is not closed. */
function unfinished(late: boolean, parked = false) {
  const fake = new ThreeMembers('none');
  const requests: (string | undefined)[] = [];
  const found = fake.run(async (world) => {
    await healRecordFile.write(world.machine, PLACES.journal, newRecord(0, 'operator', 'stale/removed'));
    if (parked) await park(world.machine, PLACES);
    // Nothing but the limit of the check runs out.
    const sleep = (ms: number) =>
      late && ms === LIMIT_MS ? Promise.resolve() : new Promise<void>(() => undefined);
    // The service that would answer the request is not there.
    const systemctl = async () => void requests.push(fake.node.disk.entries.get(PLACES.request)?.text);
    const machine = { ...world.machine, sleep, systemctl };
    const said = await deepCheck({ ...world, machine }, fake.settings, silent, LIMIT_MS);
    // What is left of it, if anything, goes on.
    await world.machine.sleep(60_000);
    return said;
  });
  return { found, asked: fake.node.disk.entries.has(PLACES.request), requests };
}

test('an unfinished heal of a member that serves is taken up', () => {
  const { found, asked, requests } = unfinished(false);
  assert.match(found.message, /It is taken up again/);
  assert.ok(asked);
  assert.is(requests.length, 1, 'the service is started, once the request is there');
  assert.ok(requests[0]);
});

test('while the app is stopped it is left alone, and that is said', () => {
  const { found, asked } = unfinished(false, true);
  assert.match(found.message, /It is left alone: the app was stopped; the next start takes it up again\./);
  assert.not(asked);
});

test('a check that is late asks for nothing any more: its process may end before the service is started', () => {
  const { found, asked, requests } = unfinished(true);
  assert.match(found.message, /not done within 777 ms/);
  assert.not(asked);
  assert.equal(requests, []);
});

/** A deep check of member 2 that has all the time that it needs. */
function checked(fake: ThreeMembers, changes: Partial<Settings> = {}) {
  const written: string[] = [];
  return fake.run(async (world) => {
    const writeFile: typeof world.machine.writeFile = (path, ...rest) => {
      written.push(path);
      return world.machine.writeFile(path, ...rest);
    };
    const machine = { ...world.machine, writeFile };
    const settings = { ...fake.settings, ...changes };
    const found = await deepCheck({ ...world, machine }, settings, silent, 60_000);
    return { found, written, result: await deepCheckFile.read(machine, PLACES.deepCheck) };
  });
}

const metrics = (fake: ThreeMembers): string => fake.node.disk.entries.get(PLACES.metrics)?.text ?? '';
const taint = (node: ThreeMembers['node'], text: string) => Object.assign(node.data ?? {}, { taint: text });

test('data that equal those of all others', () => {
  const fake = new ThreeMembers('none');
  const { found, result } = checked(fake);
  assert.is(found.code, 0);
  assert.is(result?.state, 'equal');
  assert.is(result?.memberId, fake.oldId);
  assert.match(metrics(fake), /^heal_node_diverged 0$/m);
  assert.match(metrics(fake), /^heal_node_verdict\{verdict="healthy"\} 1$/m);
});

test('data that alone differ are reported at once, and fail the check where a heal is wanted when found again', () => {
  for (const onDivergence of ['report', 'heal'] as const) {
    const fake = new ThreeMembers('none');
    taint(fake.node, 'x');
    const first = checked(fake, { onDivergence });
    assert.is(first.found.code, 0);
    assert.equal([first.result?.state, first.result?.confirmed], ['differs', false]);
    assert.match(metrics(fake), /^heal_node_diverged 1$/m);
    fake.pass(5 * 60_000);
    const { found, result } = checked(fake, { onDivergence });
    assert.is(found.code, onDivergence === 'heal' ? 1 : 0);
    assert.match(
      found.message,
      /differ from those of all others at revision \d+: hash \d+x, the others \d+\./,
    );
    assert.equal([result?.state, result?.confirmed], ['differs', true]);
    assert.match(metrics(fake), /^heal_node_diverged 1$/m);
  }
});

test('others that differ among themselves prove nothing', () => {
  const fake = new ThreeMembers('none');
  for (const [at, node] of fake.others.entries()) taint(node, `${at}`);
  const { found, result } = checked(fake, { onDivergence: 'heal' });
  assert.is(found.code, 0);
  assert.is(result?.state, 'split');
  assert.is(result?.confirmed, false);
  assert.match(result?.text ?? '', /the others differ among themselves at revision/);
  assert.match(metrics(fake), /^heal_node_diverged 1$/m);
});

test('a difference that is gone at the next comparison proves nothing', () => {
  const fake = new ThreeMembers('none');
  taint(fake.node, 'x');
  assert.is(checked(fake).result?.state, 'differs');
  taint(fake.node, '');
  fake.pass(5 * 60_000);
  const { found, result } = checked(fake, { onDivergence: 'heal' });
  assert.is(found.code, 0);
  assert.is(result?.state, 'equal');
  assert.match(found.message, /its data equal those of 2 others/);
});

const KEY = 'heal-node/deep-check';
const FOUND: Omit<DeepCheckResult, 'memberId'> = {
  atMs: 7,
  state: 'differs',
  confirmed: true,
  text: 'differs',
};

test('while another member compares, what was found last stands, and the next checks are quick', () => {
  const fake = new ThreeMembers('none');
  fake.putKey(KEY, 'etcd3');
  const last = { ...FOUND, memberId: fake.oldId };
  fake.run(({ machine }) => deepCheckFile.write(machine, PLACES.deepCheck, last));
  const { found, result, written } = checked(fake);
  assert.is(found.code, 0);
  assert.match(found.message, /etcd3 compares its data right now/);
  assert.ok(written.includes(PLACES.deepCheck), 'the file is new, by whose age the next check is due');
  assert.equal(result, last);
});

test('the same where nothing has been found yet', () => {
  const fake = new ThreeMembers('none');
  fake.putKey(KEY, 'etcd3');
  const { result, written } = checked(fake);
  assert.ok(written.includes(PLACES.deepCheck));
  assert.is(result?.state, 'unknown');
  assert.is(result?.confirmed, false);
});

test('credentials that the cluster refuses are found in peace-time', () => {
  const fake = new ThreeMembers('none');
  fake.faults.credentials = true;
  const warned: string[] = [];
  const log = { ...silent, warn: (_: object, text: string) => void warned.push(text) };
  const found = fake.run((world) => deepCheck(world, fake.settings, log, 60_000));
  assert.is(found.code, 0, 'it serves');
  assert.match(
    warned.join(' '),
    /etcd2: a heal would be refused now: .*user name is empty; set HEAL_ETCD_USER/,
  );
  assert.match(metrics(fake), /^heal_node_credentials_refused 1$/m);
  fake.faults.credentials = false;
  fake.run((world) => deepCheck(world, fake.settings, log, 60_000));
  assert.is(warned.length, 1);
  assert.match(metrics(fake), /^heal_node_credentials_refused 0$/m);
});

test('a password that cannot be had does not fail the check of a member that is healthy', () => {
  const refuses = () => Promise.reject(new ClusterError('HEAL_ETCD_PASSWORD_FILE=/none: no password', false));
  const calls: readonly (readonly (keyof Cluster)[])[] = [
    ['grantLease', 'putIfAbsent'],
    ['ask', 'get', 'grantLease', 'putIfAbsent', 'hashKv'],
  ];
  for (const refused of calls) {
    const fake = new ThreeMembers('none');
    const found = fake.run((world) => {
      const cluster: typeof world.cluster = (tls) => ({
        ...world.cluster(tls),
        ...Object.fromEntries(refused.map((name) => [name, refuses])),
      });
      return deepCheck({ ...world, cluster }, fake.settings, silent, 60_000);
    });
    assert.is(found.code, 0, found.message);
  }
});

test('a difference found twice fails the check every time, without another comparison, so that the action is called', () => {
  const fake = new ThreeMembers('none', { onDivergence: 'heal' });
  Object.assign(fake.node.data ?? {}, { taint: 'x' });
  const check = () => {
    const { code } = fake.run((world) => deepCheck(world, fake.settings, silent, 2500));
    const file = fake.run(({ machine }) => deepCheckFile.read(machine, PLACES.deepCheck));
    return { code, confirmed: file?.confirmed, comparedMs: file?.comparison?.atMs };
  };
  assert.equal([check().code, check().code], [0, 0], 'found once, and asked no more for now');
  fake.pass(5 * 60_000);
  const found = check();
  assert.equal([found.code, found.confirmed], [1, true]);
  for (let minute = 1; minute < 9; minute++) {
    fake.pass(60_000);
    assert.equal(check(), found);
  }
});

test.run();
