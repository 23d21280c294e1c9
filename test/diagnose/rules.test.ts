import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { rules } from '../../src/diagnose/rules.ts';
import { signatures } from '../../src/diagnose/signatures.ts';
import type { Observation } from '../../src/observe/observation.ts';
import {
  asked,
  BOOTSTRAPPED,
  CLUSTER,
  crashed,
  failedUnit,
  healthy,
  members,
  NO_DATA,
  silent,
  situation,
  unit,
  wal,
} from '../fake/observation.ts';

const line = (id: string): string => signatures.find((row) => row.id === id)?.example ?? '';
const REMOVED_LIST = members.filter(({ name }) => name !== 'etcd2');
const UNSTARTED = members.map((m) =>
  m.name === 'etcd2' ? { ...m, id: 'abc', name: '', clientUrls: [] } : m,
);
const without = (list: typeof members) => [asked(1, { members: list }), asked(3, { members: list })];

const cases: readonly (readonly [expected: string, seen: Observation])[] = [
  ['healthy/serves', healthy],
  ['stale/already-bootstrapped', crashed([BOOTSTRAPPED], { data: NO_DATA })],
  ['unknown/no-rule', crashed([BOOTSTRAPPED])], // the line says so, the disk does not
  ['stale/wal-damaged', crashed([line('wal-damaged')])],
  [
    'stale/wal-garbled',
    crashed([line('wal-garbled')], { data: { ...healthy.data, wal: wal({ damage: 'illegal' }) } }),
  ],
  ['unknown/no-rule', crashed([line('wal-garbled')])], // the file itself shows no damage
  ['stale/log-short', crashed([line('log-short'), 'goroutine 1 [running]:'])],
  ['stale/db-damaged', crashed([line('db-damaged')])],
  ['stale/db-short', crashed([], { data: { ...healthy.data, db: { bytes: 8192, neededBytes: 20480 } } })],
  ['stale/removed', crashed([line('removed')], { others: without(REMOVED_LIST) })],
  ['unknown/no-rule', crashed([line('removed')])], // still listed under the ID that its data have
  ['stale/half-added', crashed([line('half-added')], { data: NO_DATA, others: without(UNSTARTED) })],
  ['local-fault/log', crashed([line('port-taken'), BOOTSTRAPPED], { data: NO_DATA })],
  ['local-fault/log', crashed([line('permission')])],
  ['local-fault/unit', crashed([], { unit: { ok: true, value: { ...failedUnit(), result: 'resources' } } })],
  ['local-fault/unit', crashed([], { unit: { ok: true, value: failedUnit(203) } })],
  ['quorum-lost/others-silent', crashed([line('wal-damaged')], { others: [asked(1), silent(3)] })],
  ['amnesia/alone-without-data', crashed([BOOTSTRAPPED], { data: NO_DATA, others: [silent(1), silent(3)] })],
  ['amnesia/ahead', crashed([line('log-short')], { data: { ...healthy.data, wal: wal({ commit: 101n }) } })],
  [
    'unknown/others-disagree',
    crashed([BOOTSTRAPPED], {
      others: [asked(1), asked(3, { clusterId: 'other' })],
      data: { ...healthy.data },
    }),
  ],
  [
    'unknown/other-cluster',
    crashed([line('wal-damaged')], { data: { ...healthy.data, wal: wal({ clusterId: 'abc' }) } }),
  ],
  [
    'unknown/other-member',
    crashed([line('wal-damaged')], { data: { ...healthy.data, wal: wal({ memberId: '59b0fd95b07996d8' }) } }),
  ],
  [
    'starting/activating',
    { ...crashed([]), unit: { ok: true, value: unit({ active: 'activating', sub: 'start' }) } },
  ],
  [
    'stopped/inactive',
    crashed([], { unit: { ok: true, value: unit({ active: 'inactive', sub: 'dead', mainPid: 0 }) } }),
  ],
  ['healing/swapped', crashed([], { swap: { ...healthy.swap, unitFile: 'none', unit1File: 'file' } })],
  ['unknown/settings', { ...crashed([]), config: { ok: false, why: 'etcd.env: ETCD_NAME= is not allowed' } }],
  ['unknown/no-rule', crashed(['panic: something new'])],
];

for (const [n, [expected, seen]] of cases.entries()) {
  test(`${n}: ${expected}`, () => {
    const diagnosis = diagnose(situation(seen));
    assert.is(diagnosis.reason, expected, JSON.stringify(diagnosis.evidence));
    assert.is(diagnosis.verdict, expected.split('/')[0]);
    assert.ok(diagnosis.evidence.length > 0, 'there is evidence');
  });
}

test('every reason of the table has a case', () => {
  const told = new Set(cases.map(([expected]) => expected));
  assert.equal(
    [...new Set(rules.map(({ reason }) => reason))].filter((reason) => !told.has(reason)),
    [],
  );
});

/** Whatever may be observed, within the shapes. */
const anything: fc.Arbitrary<Observation> = fc
  .record({
    data: fc.constantFrom(
      healthy.data,
      NO_DATA,
      { ...healthy.data, wal: wal({ commit: 1000n }) },
      { ...healthy.data, db: { bytes: 1, neededBytes: 2 } },
      { ...healthy.data, wal: { ok: false, why: 'no metadata' } as const },
    ),
    unit: fc
      .constantFrom(unit(), failedUnit(), failedUnit(2), failedUnit(203), unit({ active: 'activating' }))
      .map((value) => ({ ok: true, value }) as const),
    log: fc.subarray(signatures.map(({ example }) => example)).map((value) => ({ ok: true, value }) as const),
    others: fc.tuple(
      fc.constantFrom(
        asked(1),
        asked(1, { serves: false, servesNot: 'no leader' }),
        asked(1, { clusterId: 'x' }),
        asked(1, { members: REMOVED_LIST }),
        silent(1),
      ),
      fc.constantFrom(asked(3), asked(3, { raftIndex: 5n }), asked(3, { members: UNSTARTED }), silent(3)),
    ),
    health: fc.constantFrom(
      healthy.health,
      { state: 'none', why: 'no answer' } as const,
      { state: 'false', why: '503' } as const,
    ),
    swap: fc.constantFrom(healthy.swap, {
      ...healthy.swap,
      unitFile: 'none' as const,
      unit1File: 'file' as const,
    }),
  })
  .map((parts) => ({ ...healthy, self: parts.health.state === 'none' ? undefined : healthy.self, ...parts }));

test('never stale without a quorum of others that serve and agree', () => {
  fc.assert(
    fc.property(anything, (seen) => {
      const s = situation(seen);
      return (
        diagnose(s).verdict !== 'stale' || (s.cluster.standsWithoutUs && s.cluster.clusterId === CLUSTER)
      );
    }),
    { numRuns: 3000 },
  );
});

test('never stale when this member has committed what the cluster does not know', () => {
  fc.assert(
    fc.property(anything, (seen) => {
      const s = situation(seen);
      const most = Math.max(...s.cluster.serving.map(({ reply }) => Number(reply.raftIndex)));
      return diagnose(s).verdict !== 'stale' || !s.wal || Number(s.wal.commit) <= most;
    }),
    { numRuns: 3000 },
  );
});

test('a source that fails never turns what is not stale into stale', () => {
  fc.assert(
    fc.property(anything, fc.constantFrom('log', 'unit', 'unit1', 'app', 'config'), (seen, source) => {
      const failing = { ...seen, [source]: { ok: false, why: 'it hangs' } };
      return (
        diagnose(situation(seen)).verdict === 'stale' || diagnose(situation(failing)).verdict !== 'stale'
      );
    }),
    { numRuns: 3000 },
  );
});

test.run();
