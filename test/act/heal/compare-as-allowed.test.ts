import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareAsAllowed } from '../../../src/act/heal/compare-as-allowed.ts';
import { situationOf } from '../../../src/diagnose/situation.ts';
import { observe } from '../../../src/observe/observe.ts';
import { deepCheckFile } from '../../../src/state/deep-check-file.ts';
import { PLACES } from '../../fake/observation.ts';
import { ThreeMembers } from '../../fake/three-members.ts';

const LOCK_MS = 31_000;

/** Compares as a deep check does: looks, compares, writes down. `hashed` are the endpoints that were asked. */
function compares(fake: ThreeMembers, dbSizeBytes = 20_480, fails = false) {
  const hashed: string[] = [];
  const compared = fake.run(async (world) => {
    const observed = await observe(world);
    const others = observed.others.map((asked) =>
      asked.reply.ok
        ? { ...asked, reply: { ok: true as const, value: { ...asked.reply.value, dbSizeBytes } } }
        : asked,
    );
    const cluster: typeof world.cluster = (tls) => {
      const real = world.cluster(tls);
      return {
        ...real,
        hashKv: (endpoint, revision, limitMs) => {
          hashed.push(endpoint);
          if (fails) throw new Error('context deadline exceeded');
          return real.hashKv(endpoint, revision, limitMs);
        },
      };
    };
    const situation = situationOf({ ...observed, others }, PLACES);
    const said = await compareAsAllowed({ ...world, cluster }, fake.settings, situation, 2000);
    await deepCheckFile.write(world.machine, PLACES.deepCheck, said.result);
    return said;
  });
  return { ...compared, hashed };
}

test('equal data: every member has hashed once, and what it cost is remembered', () => {
  const fake = new ThreeMembers('none');
  const { result, hashed, notAsked } = compares(fake);
  assert.is(notAsked, undefined);
  assert.is(hashed.length, 3);
  assert.is(new Set(hashed).size, 3);
  assert.is(result.state, 'equal', result.text);
  assert.ok((result.comparison?.sumMs ?? 0) > 0);
});

test('too early nobody is asked, and what was found last stands', () => {
  const fake = new ThreeMembers('none');
  const first = compares(fake);
  const again = compares(fake);
  assert.match(again.notAsked ?? '', /HEAL_COMPARE=0.001 allows the next comparison at 20/);
  assert.equal(again.hashed, []);
  assert.equal(again.result, first.result);
  fake.pass(60_000);
  assert.is(compares(fake).hashed.length, 3);
});

test('a clock that was set back does not put the next one off', () => {
  const fake = new ThreeMembers('none');
  compares(fake);
  fake.pass(LOCK_MS);
  fake.node.clockOffMs = -86_400_000;
  assert.is(compares(fake).hashed.length, 3);
});

test('of a large database not even the first comparison comes at once', () => {
  const fake = new ThreeMembers('none');
  const first = compares(fake, 1.2e9);
  assert.match(first.notAsked ?? '', /allows the next comparison at/);
  assert.is(first.result.state, 'unknown');
  fake.pass(20 * 60_000);
  assert.equal(compares(fake, 1.2e9).hashed, []);
  fake.pass(3 * 3_600_000);
  assert.is(compares(fake, 1.2e9).hashed.length, 3);
});

test('nor one by what it cost before the database has grown', () => {
  const fake = new ThreeMembers('none');
  assert.is(compares(fake).hashed.length, 3);
  fake.pass(600_000);
  assert.equal(compares(fake, 1_200_000_000).hashed, []);
  assert.is(compares(fake).hashed.length, 3);
});

test('HEAL_COMPARE=0 asks nobody, ever', () => {
  const fake = new ThreeMembers('none', { compare: 0 });
  const { notAsked, hashed } = compares(fake);
  assert.is(notAsked, 'HEAL_COMPARE is 0');
  assert.equal(hashed, []);
});

test('while another node compares nobody is asked', () => {
  const fake = new ThreeMembers('none');
  fake.putKey('heal-node/deep-check', 'etcd3');
  const { notAsked, hashed } = compares(fake);
  assert.is(notAsked, 'etcd3 compares its data right now');
  assert.equal(hashed, []);
});

test('a difference counts when it is found again the next time', () => {
  const fake = new ThreeMembers('none');
  Object.assign(fake.node.data ?? {}, { taint: 'x' });
  const first = compares(fake);
  assert.equal([first.result.state, first.result.confirmed], ['differs', false]);
  assert.is(first.hashed.length, 3, 'one question, asked once');
  fake.pass(60_000);
  const second = compares(fake);
  assert.equal([second.result.state, second.result.confirmed], ['differs', true]);
});

test('where it cannot be written down what a comparison costs, none is made', () => {
  const fake = new ThreeMembers('none');
  fake.node.ailing.root = 'read-only';
  const hashed = fake.run(async (world) => {
    const asked: string[] = [];
    const cluster: typeof world.cluster = (tls) => ({
      ...world.cluster(tls),
      hashKv: async (endpoint) => {
        asked.push(endpoint);
        throw new Error('asked');
      },
    });
    const situation = situationOf(await observe(world), PLACES);
    await compareAsAllowed({ ...world, cluster }, fake.settings, situation, 2000);
    return asked;
  });
  assert.equal(hashed, []);
});

test('a difference that was found stands where the next comparison is begun and fails', () => {
  const fake = new ThreeMembers('none');
  Object.assign(fake.node.data ?? {}, { taint: 'x' });
  const { result } = compares(fake);
  fake.pass(60_000);
  const failed = compares(fake, 20_480, true);
  assert.ok(failed.hashed.length > 0);
  assert.equal([failed.result.state, failed.result.text], ['differs', result.text]);
});

test.run();
