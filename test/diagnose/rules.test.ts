import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { dataEvidence } from '../../src/diagnose/evidence.ts';
import { rules } from '../../src/diagnose/rules.ts';
import type { Observation } from '../../src/observe/observation.ts';
import {
  asked,
  crashed,
  damagedDb,
  damagedWal,
  failedUnit,
  healthy,
  holding,
  members,
  NO_DATA,
  OWN,
  silent,
  situation,
  unit,
} from '../fake/observation.ts';
import { cases, host, LEARNING, PANIC, peers, process, REMOVED_LIST, third, UNSTARTED } from './cases.ts';
import { recordedLines } from './recorded-lines.ts';

for (const [n, [expected, observed]] of cases.entries()) {
  test(`${n}: ${expected}`, () => {
    const diagnosis = diagnose(situation(observed));
    assert.is(diagnosis.reason, expected, JSON.stringify(diagnosis.evidence));
    assert.is(diagnosis.verdict, expected.split('/')[0]);
    assert.ok(diagnosis.evidence.length > 0, 'there is evidence');
  });
}

test('data whose place is not known are not called gone, and nothing says that they are', () => {
  const config = { ok: false, why: 'etcd.env is missing.' } as const;
  const { data } = holding({ kind: 'unknown', memberId: '', clusterId: '' });
  const s = situation(crashed([], { data, config, others: [] }));
  assert.is(diagnose(s).verdict, 'unknown');
  assert.is(s.dataGone, false);
  assert.match(dataEvidence(s).text, /cannot be told: no metadata/);
});

test('every reason of the table has a case', () => {
  const told = new Set(cases.map(([expected]) => expected));
  assert.equal(
    Object.keys(rules).filter((reason) => !told.has(reason)),
    [],
  );
});

/** The first more often than all the rest together, so that what is stale comes up often enough. */
const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );
const examples = [...Object.values(recordedLines).map(([first = '']) => first), PANIC.join('\n')];

/** Whatever may be observed, within the shapes. */
const anything: fc.Arbitrary<Observation> = fc
  .record({
    held: mostly<Pick<Observation, 'data' | 'examination'>>(
      holding(),
      NO_DATA,
      holding({ kind: 'founding' }),
      holding({ commit: 1000n }),
      holding({ logShort: true }),
      damagedWal(),
      damagedDb(),
      holding({ kind: 'unknown', memberId: '', clusterId: '' }),
      damagedWal({ memberId: '', clusterId: '' }),
      holding({ memberId: third }),
      holding({ clusterId: 'other' }),
    ),
    unit: mostly(failedUnit(), unit(), failedUnit(2), failedUnit(203), unit({ active: 'activating' })).map(
      (value) => ({ ok: true, value }) as const,
    ),
    log: fc
      .oneof(
        fc.constantFrom(...examples).map((line) => [line]),
        fc.subarray(examples, { maxLength: 3 }),
        fc.subarray(examples),
      )
      .map((lines) => lines.flatMap((line) => line.split('\n')))
      .map((value) => ({ ok: true, value }) as const),
    others: fc.tuple(
      mostly(
        asked(1),
        asked(1, { serves: false, unavailableReason: 'no leader' }),
        asked(1, { clusterId: 'x' }),
        asked(1, { members: REMOVED_LIST }),
        asked(1, { members: LEARNING }),
        silent(1),
      ),
      mostly(
        asked(3),
        asked(3, { raftIndex: 5n }),
        asked(3, { members: UNSTARTED }),
        asked(3, { members: LEARNING }),
        asked(3, { memberId: 'beef' }), // not listed
        asked(3, { memberId: members[0]?.id ?? '' }), // the other one again
        asked(3, { memberId: OWN }), // as this node's own member
        silent(3),
      ),
    ),
    health: mostly<Observation['health']>({ state: 'none', why: 'no answer' }, healthy.health, {
      state: 'false',
      why: '503',
    }),
    host: mostly<Observation['host']>(
      healthy.host,
      { ok: false, why: 'it hangs' },
      host({ freeBytes: 0 }),
      host({ peers: peers('silent', true) }),
      host({ peers: peers('silent', false), linkUp: false }),
    ),
    process: fc.constantFrom(undefined, process(), process({ cpuTicks: 9 }), process({ state: 'T' })),
    divergence: mostly<Observation['divergence']>(undefined, {
      atMs: 0,
      memberId: OWN,
      confirmed: true,
      heals: true,
      text: 'differs',
    }),
    swap: mostly<Observation['swap']>(healthy.swap, {
      ...healthy.swap,
      unitFile: 'none',
      copyUnitFile: 'file',
    }),
  })
  .map(({ held, ...parts }) => ({
    ...healthy,
    self: parts.health.state === 'none' ? undefined : healthy.self,
    ...held,
    ...parts,
  }));

/** The others' answers to a linearizable read: counted here, and not by the code that decides by them. */
const servingOf = ({ others }: Observation) =>
  others.flatMap(({ reply }) => (reply.ok && reply.value.serves ? [reply.value] : []));

/** Whether more than half of the voters that they list are among them, this node's own ID aside, and they say the same. */
function othersAreQuorum(observed: Observation): boolean {
  const serving = servingOf(observed);
  const said = serving.map(
    ({ clusterId, members: list }) => `${clusterId} ${list.map(({ id }) => id).sort()}`,
  );
  const voters = (serving[0]?.members ?? []).filter(({ isLearner }) => !isLearner);
  const others = voters.filter(({ peerUrls }) => !peerUrls.includes('http://10.0.0.2:2380'));
  const present = others.filter(({ id }) => serving.some(({ memberId }) => memberId === id));
  return new Set(said).size === 1 && 2 * present.length > voters.length;
}

/** One of those that serve lists the member of these data. */
const ownListed = (observed: Observation): boolean =>
  servingOf(observed).every(({ members: list }) => list.some(({ id }) => id === OWN));
const walOf = ({ data }: Observation) => (data.kind === 'data' ? data : undefined);
const unitOf = (observed: Observation) => (observed.unit.ok ? observed.unit.value : undefined);
const verdictOf = (observed: Observation) => diagnose(situation(observed)).verdict;

test('what may be observed has enough of what is stale, and of what is not', () => {
  const stale = fc.sample(anything, { numRuns: 3000, seed: 1 }).filter((each) => verdictOf(each) === 'stale');
  assert.ok(stale.length > 100 && stale.length < 1500, `${stale.length} of 3000`);
});

test('never stale without a quorum of others that serve and agree', () => {
  fc.assert(
    fc.property(anything, (observed) => verdictOf(observed) !== 'stale' || othersAreQuorum(observed)),
    { numRuns: 3000 },
  );
});

test('data of another cluster, a full disk, a process that makes progress: never stale', () => {
  fc.assert(
    fc.property(anything, (observed) => {
      if (verdictOf(observed) !== 'stale') return true;
      if (walOf(observed)?.clusterId === 'other') return false;
      // A clone runs well, and so does one whose data differ: they are stale all the same.
      if (walOf(observed)?.memberId === third || observed.divergence !== undefined) return true;
      const lives = (unitOf(observed)?.mainPid ?? 0) > 0;
      const full = observed.host?.ok === true && observed.host.value.freeBytes === 0;
      return (
        !(full && !lives) &&
        !(
          lives &&
          observed.data.memberId === OWN &&
          ownListed(observed) &&
          unitOf(observed)?.active === 'activating'
        )
      );
    }),
    { numRuns: 3000 },
  );
});

test('no words, no stale by words', () => {
  fc.assert(
    fc.property(anything, (observed) => {
      const s = situation({ ...observed, log: { ok: true, value: [] } });
      const { reason } = diagnose(s);
      return reason !== 'stale/log-short' || s.examination?.logShort === true;
    }),
    { numRuns: 3000 },
  );
});

test('never stale when this member has committed what the cluster does not know', () => {
  fc.assert(
    fc.property(anything, (observed) => {
      const commit = observed.data.kind === 'data' ? observed.examination?.commit : undefined;
      const known = servingOf(observed).some(({ raftIndex }) => commit === undefined || raftIndex >= commit);
      return verdictOf(observed) !== 'stale' || known;
    }),
    { numRuns: 3000 },
  );
});

test('a source that fails never turns what is not stale into stale', () => {
  fc.assert(
    fc.property(
      anything,
      fc.constantFrom<keyof Observation>('log', 'unit', 'copyUnit', 'app', 'config', 'host'),
      (observed, source) => {
        const failing: Observation = { ...observed, [source]: { ok: false, why: 'it hangs' } };
        return verdictOf(observed) === 'stale' || verdictOf(failing) !== 'stale';
      },
    ),
    { numRuns: 3000 },
  );
});

test('a list that not all who serve have, or an empty one, does not prove a member removed', () => {
  const says = (list: readonly (typeof members)[number][]) => asked(1, { members: list });
  const proven = (first: ReturnType<typeof says>, more: ReturnType<typeof asked>) =>
    situation(crashed([], { ...holding({ memberId: OWN }), others: [first, more] })).provenStale;
  const without = members.filter(({ id }) => id !== OWN);
  assert.ok(proven(says(without), asked(3, { members: without })));
  assert.not(proven(says([]), asked(3)));
  assert.not(proven(says(without), asked(3)));
  assert.not(proven(says([]), silent(3)));
});

test.run();
