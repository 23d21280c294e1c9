import type { Examination } from '../../src/machine/etcd/examine.ts';
import type { Reach } from '../../src/machine/os/network.ts';
import type { HostFacts, Observation } from '../../src/observe/observation.ts';
import {
  asked,
  BOOTSTRAPPED,
  certificatesGone,
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
  unit,
} from '../fake/observation.ts';
import { recordedLines } from './recorded-lines.ts';

const line = (id: string): string => recordedLines[id]?.[0] ?? '';
export const host = (changes: Partial<HostFacts>) =>
  ({
    ok: true,
    value: { ...(healthy.host?.ok ? healthy.host.value : ({} as HostFacts)), ...changes },
  }) as const;
export const peers = (reach: Reach, neighbour: boolean) =>
  [1, 3].map((n) => ({ url: `http://10.0.0.${n}:2380`, reach, neighbour }));
export const process = (changes: object = {}) => ({
  state: 'S',
  overMs: 1500,
  cpuTicks: 0,
  ioBytes: 0,
  ...changes,
});
/** It runs and does not answer. */
const mute = (changes: Partial<Observation> = {}): Observation => ({
  ...healthy,
  health: { state: 'none', why: 'no answer within 1500 ms' },
  self: undefined,
  process: process({ cpuTicks: 3 }),
  ...changes,
});
const nospace = { alarms: [{ memberId: '59b0fd95b07996d8', alarm: 'NOSPACE' }] };
export const third = '59b0fd95b07996d8';
export const REMOVED_LIST = members.filter(({ name }) => name !== 'etcd2');
export const UNSTARTED = members.map((m) =>
  m.name === 'etcd2' ? { ...m, id: 'abc', name: '', clientUrls: [] } : m,
);
/** The third has no vote. */
export const LEARNING = members.map((m) => (m.name === 'etcd3' ? { ...m, isLearner: true } : m));
const FOUR = [
  ...members,
  {
    id: 'beef',
    name: 'etcd4',
    peerUrls: ['http://10.0.0.4:2380'],
    clientUrls: ['http://10.0.0.4:2379'],
  },
  {
    id: 'feed',
    name: 'etcd5',
    peerUrls: ['http://10.0.0.5:2380'],
    clientUrls: ['http://10.0.0.5:2379'],
  },
];
const FOUNDERS = members.map((member) => (member.id === OWN ? { ...member, clientUrls: [] } : member));
const without = (list: typeof members) => [asked(1, { members: list }), asked(3, { members: list })];

/** Added and not started, with a log of an ID that is not listed; its process is on its way up. */
const neverJoined = (changes: Partial<Examination>): Observation =>
  crashed([], {
    unit: { ok: true, value: unit({ active: 'activating' }) },
    ...holding({ memberId: 'dead', commit: 0n, lastIndex: 0n, ...changes }),
    process: process({ cpuTicks: 3 }),
    others: without(UNSTARTED),
  });
const neverRan = {
  ok: true,
  value: unit({ active: 'failed', result: 'exit-code', mainPid: 0, exitKind: 0 }),
} as const;
const stopped = { ok: true, value: unit({ active: 'inactive', sub: 'dead', mainPid: 0 }) } as const;
const NEVER = { wasMember: false, birthmark: '', birthmarkRevision: 0n, dataDiskId: '' };
/** How a run ends in a panic: Go's report, and the goroutines. */
export const PANIC = [
  'panic: tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?',
  '',
  'goroutine 155 [running]:',
];
const tlsApp = {
  ok: true,
  value: {
    ...(healthy.app.ok ? healthy.app.value : ({} as never)),
    tls: true,
    nodes: [1, 2, 3].map((n) => ({ sid: `${n}`, ip: `10.0.0.${n}` })),
  },
} as const;

export const cases: readonly (readonly [expected: string, observed: Observation])[] = [
  ['healthy/serves', healthy],
  ['healthy/serves', { ...healthy, self: asked(2, { credentialsRefused: 'user name is empty' }) }],
  ['stale/already-bootstrapped', crashed([BOOTSTRAPPED], NO_DATA)],
  ['stale/already-bootstrapped', crashed([], { ...NO_DATA, unit: neverRan })], // the gate has refused it
  ['stale/already-bootstrapped', crashed([], holding({ kind: 'founding' }))],
  // A member that was healed before founds under an ID of its own, one of a scaled cluster under another cluster's.
  ['stale/already-bootstrapped', crashed([], holding({ kind: 'founding', clusterId: 'other' }))],
  // A cluster in which nobody has written anything yet, and one whose last founder has not run.
  ['unknown/no-rule', crashed([], { ...holding({ kind: 'founding', elected: true }), mark: NEVER })],
  ['stale/already-bootstrapped', crashed([], holding({ kind: 'founding', elected: true }))],
  ['unknown/no-rule', crashed([], { ...NO_DATA, mark: NEVER, others: without(FOUNDERS) })],
  ['stale/already-bootstrapped', crashed([], { ...NO_DATA, mark: NEVER })],
  ['amnesia/ahead', crashed([], holding({ commit: 1000n }))],
  [
    'stale/given-up',
    crashed([], { ...holding({ commit: 1000n }), discardAhead: { memberId: OWN, commit: '1000' } }),
  ],
  [
    'amnesia/ahead',
    crashed([], { ...holding({ commit: 1001n }), discardAhead: { memberId: OWN, commit: '1000' } }),
  ],
  ['unknown/no-rule', crashed([BOOTSTRAPPED])], // the line says so, the disk does not
  ['stale/wal-damaged', crashed([], damagedWal())],
  ['unknown/no-rule', crashed([line('wal-damaged')])], // the line says so, the disk does not
  ['stopped/inactive', crashed([], { ...damagedWal(), unit: stopped })], // etcd has not crashed on it
  ['stale/db-damaged', crashed([line('db-damaged')], damagedDb())],
  ['stale/log-short', crashed([line('log-short'), ...PANIC])],
  ['unknown/no-rule', crashed([line('log-short')])], // no panic ended the run
  [
    'unknown/no-rule',
    crashed([...PANIC, '2026-11-23 19:02:03.1 I | etcdserver: panic: something else'].slice(1)),
  ],
  ['stale/log-short', crashed([], holding({ logShort: true, applied: 95n }))],
  ['stale/removed', crashed([line('removed')], { others: without(REMOVED_LIST) })],
  ['stale/removed', crashed([], { others: without(REMOVED_LIST), unit: stopped })], // it need not be started for that
  ['stale/removed', crashed([], { ...NO_DATA, others: without(REMOVED_LIST) })], // this node was a member
  ['unknown/no-rule', crashed([line('removed')])], // still listed under the ID that its data have
  ['stale/half-added', crashed([line('half-added')], { ...NO_DATA, others: without(UNSTARTED) })],
  ['stopped/inactive', crashed([], { ...NO_DATA, mark: NEVER, others: without(UNSTARTED), unit: stopped })], // being added
  ['stale/removed', neverJoined({ kind: 'founding' })],
  ['starting/activating', neverJoined({ kind: 'founding', memberId: 'abc' })], // the others come to it
  [
    'local-fault/disk-not-mounted',
    crashed([], {
      ...NO_DATA,
      host: host({ diskNotMounted: '/var/lib/etcd is on the root file system, and etcd.env, too, is lost' }),
    }),
  ],
  [
    'local-fault/certificates-missing',
    crashed([], {
      ...NO_DATA,
      app: tlsApp,
      tls: { missing: ['/var/lib/etcd/ssl/etcd/ca.pem'], faults: [], othersThere: true },
    }),
  ],
  // In TLS mode, and etcd too: lost with the data they come back with the heal.
  ['stale/already-bootstrapped', crashed([], { ...NO_DATA, ...certificatesGone })],
  [
    'stale/already-bootstrapped',
    crashed([line('certificate')], {
      ...NO_DATA,
      ...certificatesGone,
      host: host({
        certificateFaults: ['ETCD_CERT_FILE holds no certificate'],
        unusable: ['ca.pem is missing'],
      }),
    }),
  ],
  [
    'stale/already-bootstrapped',
    crashed([], {
      ...NO_DATA,
      ...certificatesGone,
      unit: { ok: true, value: { ...failedUnit(), result: 'resources' } },
    }),
  ],
  [
    'local-fault/port-taken',
    crashed([], {
      ...NO_DATA,
      ...certificatesGone,
      host: host({ portConflicts: [{ port: 2380, pid: 7, program: 'nc' }] }),
    }),
  ],
  [
    'amnesia/alone-without-data',
    crashed([], { ...NO_DATA, ...certificatesGone, others: [silent(1), silent(3)] }),
  ],
  // What the last run has said was before they were lost.
  ['stale/already-bootstrapped', crashed([line('port-taken')], { ...NO_DATA, ...certificatesGone })],
  // Data are left; or nothing shows that this node has been a member.
  ['local-fault/certificates-missing', crashed([], certificatesGone)],
  [
    'local-fault/certificates-missing',
    crashed([], {
      ...NO_DATA,
      ...certificatesGone,
      others: without(members.slice(0, 1)),
      mark: { ...healthy.mark, wasMember: false },
    }),
  ],
  ['healthy/serves', { ...healthy, ...certificatesGone }],
  ['local-fault/etcd-too-old', crashed([], { ...NO_DATA, host: host({ etcdVersion: '3.3.25' }) })],
  ['local-fault/tls-switched', { ...mute(), app: certificatesGone.app, others: [silent(1), silent(3)] }],
  [
    'local-fault/peer-url-changed',
    crashed([], {
      others: without(
        members.map((m) => (m.name === 'etcd2' ? { ...m, peerUrls: ['http://etcd2.new:2380'] } : m)),
      ),
    }),
  ],
  [
    'unknown/process',
    { ...mute(), unit: { ok: false, why: 'no answer within 2000 ms' }, process: undefined },
  ],
  ['healthy/serves', { ...healthy, unit: { ok: false, why: 'no answer within 2000 ms' } }],
  [
    'quorum-lost/no-leader',
    crashed([], {
      others: [asked(1, { serves: false, unavailableReason: 'no leader', leader: '0' }), silent(3)],
    }),
  ],
  // Its leader is a third that this node does not reach.
  [
    'unknown/few-in-reach',
    crashed([], {
      others: [
        asked(1, { serves: false, unavailableReason: 'no answer to a linearizable read within 1500 ms' }),
        silent(3),
      ],
    }),
  ],
  ['local-fault/port-taken', crashed([line('port-taken'), BOOTSTRAPPED], { ...NO_DATA })],
  ['local-fault/permission', crashed([line('permission')])],
  ['local-fault/read-only', crashed([line('read-only')])],
  ['local-fault/disk-failing', crashed([line('disk-failing')])],
  ['local-fault/bad-setting', crashed([line('bad-setting')])],
  ['local-fault/unit', crashed([], { unit: { ok: true, value: { ...failedUnit(), result: 'resources' } } })],
  ['local-fault/unit', crashed([], { unit: { ok: true, value: failedUnit(203) } })],
  ['unknown/few-in-reach', crashed([], { ...damagedWal(), others: [asked(1), silent(3)] })],
  ['quorum-lost/others-silent', crashed([], { ...damagedWal(), others: [silent(1), silent(3)] })],
  ['quorum-lost/only-member', crashed([], { ...damagedWal(), others: [] })],
  [
    'stopped/inactive',
    crashed([], {
      unit: { ok: true, value: unit({ active: 'inactive', sub: 'dead', mainPid: 0 }) },
      others: [],
    }),
  ],
  ['amnesia/alone-without-data', crashed([BOOTSTRAPPED], { ...NO_DATA, others: [silent(1), silent(3)] })],
  ['amnesia/log-short', crashed(PANIC, { others: [asked(1), silent(3)] })],
  ['amnesia/ahead', crashed([line('log-short')], { ...holding({ commit: 101n }) })],
  [
    'amnesia/other-birthmark',
    crashed([], {
      mark: { ...healthy.mark, birthmark: 'a'.repeat(32) },
      others: [asked(1, { birthmark: 'b'.repeat(32) }), asked(3, { birthmark: 'b'.repeat(32) })],
    }),
  ],
  // Restored from a backup: it knows the birthmark, and has grown past every index of ours.
  ['amnesia/ahead', crashed([], holding({ lastTerm: 8n }))],
  [
    'amnesia/other-birthmark',
    crashed([BOOTSTRAPPED], { ...NO_DATA, mark: { ...healthy.mark, birthmark: 'a'.repeat(32) } }),
  ],
  [
    'unknown/others-disagree',
    crashed([BOOTSTRAPPED], {
      others: [asked(1), asked(3, { clusterId: 'other' })],
      data: { ...healthy.data },
    }),
  ],
  ['local-fault/other-cluster', crashed([line('wal-damaged')], { ...holding({ clusterId: 'abc' }) })],
  ['local-fault/other-cluster', { ...healthy, self: asked(2, { clusterId: 'abc' }) }], // it even answers healthy
  ['stale/clone', crashed([], { ...holding({ memberId: third }) })],
  ['stale/clone', { ...healthy, self: asked(2, { memberId: third }) }], // healthy under the other's identity
  [
    'local-fault/other-member',
    crashed([line('wal-damaged')], {
      ...holding({ memberId: FOUR[3]?.id ?? '' }),
      others: [
        ...without(FOUR),
        { ...asked(3, { members: FOUR, memberId: 'feed' }), endpoint: 'http://10.0.0.5:2379' },
      ],
    }),
  ],
  // Nobody serves, and the list of one that only answers says whose data these are.
  [
    'local-fault/other-member',
    crashed([], {
      ...holding({ memberId: third }),
      others: [asked(1, { serves: false, unavailableReason: 'no leader' }), silent(3)],
    }),
  ],
  [
    'quorum-lost/no-leader',
    crashed([], {
      others: [asked(1, { serves: false, unavailableReason: 'no leader', leader: '0' }), silent(3)],
    }),
  ],
  [
    'quorum-lost/others-silent',
    crashed([], { ...holding({ memberId: third }), others: [silent(1), silent(3)] }),
  ],
  [
    'stale/diverged',
    {
      ...healthy,
      divergence: {
        atMs: 0,
        memberId: OWN,
        confirmed: true,
        heals: true,
        text: 'the data of this member differ from those of all others at revision 50: hash 1, the others 2',
      },
    },
  ],
  [
    'healthy/serves',
    { ...healthy, divergence: { atMs: 0, memberId: OWN, confirmed: true, heals: false, text: 'differs' } },
  ],
  // of the member that was here before
  [
    'healthy/serves',
    { ...healthy, divergence: { atMs: 0, memberId: 'old', confirmed: true, heals: true, text: '' } },
  ],
  [
    'healthy/serves',
    { ...healthy, divergence: { atMs: 0, memberId: OWN, confirmed: false, heals: true, text: 'differs' } },
  ],
  [
    'healthy/serves',
    {
      ...healthy,
      atMs: 3_600_000,
      divergence: { atMs: 0, memberId: OWN, confirmed: true, heals: true, text: '' },
    },
  ],
  [
    'alarmed/raised',
    {
      ...healthy,
      health: { state: 'false', why: 'alarm' },
      self: asked(2, nospace),
      others: [asked(1, nospace), asked(3, nospace)],
    },
  ],
  ['stale/wal-damaged', crashed([], { ...damagedWal(), others: [asked(1, nospace), asked(3, nospace)] })],
  ['local-fault/disk-full', crashed([line('db-damaged')], { host: host({ freeBytes: 4096 }) })],
  ['local-fault/disk-full', crashed([BOOTSTRAPPED], { ...NO_DATA, host: host({ freeInodes: 0 }) })],
  [
    'local-fault/certificate',
    crashed([line('db-damaged')], {
      host: host({ certificateFaults: ['ETCD_CERT_FILE has expired on Jan 1 00:00:00 2026 GMT'] }),
    }),
  ],
  [
    'local-fault/port-taken',
    crashed([], { host: host({ portConflicts: [{ port: 2380, pid: 7, program: 'nc' }] }) }),
  ],
  ['local-fault/address-missing', crashed([], { host: host({ missingAddresses: ['10.0.0.9'] }) })],
  [
    'local-fault/permission',
    crashed([], {
      host: host({
        unusable: ['/var/lib/etcd has owner 0:0 and mode 700, and etcd (108:112) cannot use it'],
      }),
    }),
  ],
  [
    'local-fault/permission',
    crashed([], {
      ...damagedWal(),
      host: host({
        unusableData: ['/var/lib/etcd has owner 0:0 and mode 700, and etcd (108:112) cannot use it'],
      }),
    }),
  ],
  ['local-fault/killed', crashed([], { unit: { ok: true, value: { ...failedUnit(), result: 'oom-kill' } } })],
  [
    'local-fault/killed',
    crashed([BOOTSTRAPPED], {
      ...NO_DATA,
      unit: { ok: true, value: { ...failedUnit(9), result: 'signal', exitKind: 2 } },
    }),
  ],
  [
    'partitioned/peers-out-of-reach',
    mute({ others: [silent(1), silent(3)], host: host({ linkUp: false, peers: peers('silent', false) }) }),
  ],
  [
    'partitioned/peers-out-of-reach',
    mute({ others: [silent(1), silent(3)], host: host({ peers: peers('silent', true) }) }),
  ],
  ['partitioned/peers-out-of-reach', mute({ host: host({ peers: peers('silent', true) }) })], // only the peer ports
  [
    'quorum-lost/others-silent',
    mute({ others: [silent(1), silent(3)], host: host({ peers: peers('silent', false) }) }),
  ],
  [
    'quorum-lost/others-silent',
    mute({ others: [silent(1), silent(3)], host: host({ peers: peers('refused', true) }) }),
  ],
  ['hung/stands-still', mute({ process: process({ state: 'T', cpuTicks: 3 }) })],
  ['hung/stands-still', mute({ process: process({ state: 'D' }) })],
  ['hung/stands-still', mute({ process: process({ state: 'T' }), others: [silent(1), silent(3)] })],
  ['unknown/no-rule', mute()], // it is busy with something, and it has been ready before
  [
    'starting/activating',
    mute({
      unit: { ok: true, value: unit({ active: 'activating', sub: 'start' }) },
      process: process({ ioBytes: 4096 }),
      others: [silent(1), silent(3)],
    }),
  ],
  [
    'quorum-lost/others-silent', // a minute later: it only asks for votes
    mute({
      unit: { ok: true, value: unit({ active: 'activating', sub: 'start', startedAtSec: 1 }) },
      process: process({ ioBytes: 4096 }),
      others: [silent(1), silent(3)],
      atMs: 61_000,
    }),
  ],
  [
    'starting/activating', // systemd has just started it anew: it may be about to crash
    mute({
      unit: { ok: true, value: unit({ active: 'activating', sub: 'start', restarts: 1 }) },
      process: process({ ioBytes: 4096 }),
      others: [silent(1), silent(3)],
    }),
  ],
  [
    'starting/activating', // it has never been a member: the others of a cluster that is being created are waited for
    mute({
      unit: { ok: true, value: unit({ active: 'activating', sub: 'start', startedAtSec: 1 }) },
      process: process({ ioBytes: 4096 }),
      others: [silent(1), silent(3)],
      mark: NEVER,
      atMs: 61_000,
    }),
  ],
  [
    'starting/activating',
    { ...crashed([]), unit: { ok: true, value: unit({ active: 'activating', sub: 'start' }) } },
  ],
  [
    'stopped/inactive',
    crashed([], { unit: { ok: true, value: unit({ active: 'inactive', sub: 'dead', mainPid: 0 }) } }),
  ],
  ['healing/swapped', crashed([], { swap: { ...healthy.swap, unitFile: 'none', copyUnitFile: 'file' } })],
  [
    'unknown/settings',
    {
      ...crashed([]),
      config: {
        ok: false,
        why: 'etcd.env: ETCD_NAME= is not allowed; allowed is a name without commas, = or spaces.',
      },
    },
  ],
  ['unknown/no-rule', crashed(['panic: something new'])],
];
