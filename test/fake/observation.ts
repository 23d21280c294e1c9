/** Observations to decide on: a healthy three-member cluster seen from member 2, and ways to change it. */
import type { Member, MemberReply } from '../../src/cluster/cluster.ts';
import { type Situation, situationOf } from '../../src/diagnose/situation.ts';
import { etcdConfig } from '../../src/machine/etcd/etcd-config.ts';
import type { Examination } from '../../src/machine/etcd/examine.ts';
import type { UnitFacts } from '../../src/machine/systemd/systemctl.ts';
import type { Asked, Observation } from '../../src/observe/observation.ts';
import type { GuardFacts } from '../../src/plan/guards.ts';
import { parseSettings } from '../../src/settings/parse-settings.ts';
import { places } from '../../src/state/places.ts';

import { NOTHING_FOUND } from './examination.ts';

export const settings = parseSettings(undefined, {});
export const PLACES = places(settings);
const CLUSTER = '8a43c497ec2fe5db';
export const OWN = 'fe6bc03fdf86b20f';

export const members: readonly Member[] = [
  {
    id: '17eab829c1e9aa72',
    name: 'etcd1',
    peerUrls: ['http://10.0.0.1:2380'],
    clientUrls: ['http://10.0.0.1:2379'],
  },
  { id: OWN, name: 'etcd2', peerUrls: ['http://10.0.0.2:2380'], clientUrls: ['http://10.0.0.2:2379'] },
  {
    id: '59b0fd95b07996d8',
    name: 'etcd3',
    peerUrls: ['http://10.0.0.3:2380'],
    clientUrls: ['http://10.0.0.3:2379'],
  },
];

export const ENV = `ETCD_NAME=etcd2
ETCD_DATA_DIR=/var/lib/etcd/default.etcd
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://10.0.0.2:2380
ETCD_ADVERTISE_CLIENT_URLS=http://10.0.0.2:2379
ETCD_INITIAL_CLUSTER=etcd1=http://10.0.0.1:2380,etcd2=http://10.0.0.2:2380,etcd3=http://10.0.0.3:2380
ETCD_INITIAL_CLUSTER_STATE=new
`;

const env = Object.fromEntries(
  ENV.trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

export const unit = (changes: Partial<UnitFacts> = {}): UnitFacts => ({
  load: 'loaded',
  active: 'active',
  sub: 'running',
  result: 'success',
  mainPid: 100,
  exitKind: 0,
  exitStatus: 0,
  exitPid: 100,
  restarts: 0,
  invocationId: 'a'.repeat(32),
  startedAtSec: 1,
  fragment: PLACES.unitFile,
  dropIns: [],
  environmentFiles: [PLACES.env],
  user: 'etcd',
  program: '/opt/etcd/current/etcd',
  needsReload: false,
  ...changes,
});

export const failedUnit = (exitStatus = 1): UnitFacts =>
  unit({
    active: 'failed',
    sub: 'failed',
    result: 'exit-code',
    mainPid: 0,
    exitKind: 1,
    exitStatus,
    restarts: 5,
  });

const noUnit = unit({
  load: 'not-found',
  active: 'inactive',
  sub: 'dead',
  mainPid: 0,
  exitPid: 0,
  invocationId: '',
});

export const reply = (memberId: string, changes: Partial<MemberReply> = {}): MemberReply => ({
  clusterId: CLUSTER,
  memberId,
  members,
  leader: '17eab829c1e9aa72',
  term: 2n,
  raftIndex: 100n,
  revision: 50n,
  dbSizeBytes: 20480,
  version: '3.4.23',
  credentialsRefused: '',
  alarms: [],
  clockSkewMs: 0,
  serves: true,
  unavailableReason: '',
  birthmark: '',
  ...changes,
});

export const asked = (n: 1 | 2 | 3, changes: Partial<MemberReply> = {}): Asked => ({
  endpoint: `http://10.0.0.${n}:2379`,
  reply: { ok: true, value: reply(members[n - 1]?.id ?? '', changes) },
});

export const silent = (n: 1 | 3): Asked => ({
  endpoint: `http://10.0.0.${n}:2379`,
  reply: { ok: false, why: 'context deadline exceeded' },
});

/** The data of a member, and what an examination of them says. */
export const holding = (changes: Partial<Examination> = {}): Pick<Observation, 'data' | 'examination'> => {
  const examination: Examination = {
    ...NOTHING_FOUND,
    kind: 'whole',
    memberId: OWN,
    clusterId: CLUSTER,
    term: 2n,
    commit: 90n,
    lastIndex: 91n,
    applied: 90n,
    logRead: true,
    ...changes,
  };
  const { kind, elected, memberId, clusterId } = examination;
  return {
    examination,
    data: {
      dir: 'directory',
      walDir: 'none',
      kind: kind === 'whole' || kind === 'damaged' ? 'data' : kind,
      elected,
      why: kind === 'unknown' ? 'no metadata' : '',
      occupied: true,
      memberId,
      clusterId,
    },
  };
};

/** Its files are damaged: a record of the log, the database. */
export const damagedWal = (changes: Partial<Examination> = {}) =>
  holding({
    kind: 'damaged',
    damage: [{ file: '0000000000000000-0000000000000000.wal', at: 640, what: 'crc mismatch' }],
    ...changes,
  });
export const damagedDb = () =>
  holding({ kind: 'damaged', damage: [{ file: 'db', at: 0, what: 'invalid database' }] });

/** A healthy member, as it is seen from itself. */
export const healthy: Observation = {
  atMs: 0,
  beganMs: 0,
  app: {
    ok: true,
    value: {
      role: 'etcd-node',
      sid: '2',
      nodes: [],
      tls: false,
      clusterDns: '',
      hosts: [],
      isDeleted: false,
      isAdded: false,
      added: [],
      deleted: [],
    },
  },
  config: { ok: true, value: etcdConfig(env, PLACES.env) },
  tls: undefined,
  data: holding().data,
  examination: undefined,
  swap: {
    unitFile: 'file',
    copyUnitFile: 'none',
    copyEnv: false,
    copyDropIns: false,
    program: '/opt/etcd/current/etcd',
    pointsAway: false,
    originals: false,
    changedMs: undefined,
    staged: undefined,
  },
  unit: { ok: true, value: unit() },
  copyUnit: { ok: true, value: noUnit },
  appBusy: [],
  log: { ok: true, value: [] },
  health: { state: 'true' },
  self: asked(2),
  others: [asked(1), asked(3)],
  changedList: undefined,
  process: undefined,
  host: {
    ok: true,
    value: {
      freeBytes: 1e12,
      freeInodes: 1e6,
      missingAddresses: [],
      strayEtcds: [],
      etcdVersion: '3.4.23',
      diskNotMounted: '',
      portConflicts: [],
      unusable: [],
      unusableData: [],
      certificateFaults: [],
      linkUp: true,
      peers: [1, 3].map((n) => ({ url: `http://10.0.0.${n}:2380`, reach: 'open', neighbour: true })),
    },
  },
  pause: undefined,
  divergence: undefined,
  mark: { wasMember: true, birthmark: '', birthmarkRevision: 0n, dataDiskId: '' },
  discardAhead: undefined,
  noted: undefined,
  stamps: {},
};

/** The same after a crash, with these last words: Go ends a process that panics with 2, etcd itself with 1. */
export const crashed = (lines: readonly string[], changes: Partial<Observation> = {}): Observation => ({
  ...healthy,
  ...holding(),
  unit: { ok: true, value: failedUnit(lines.some((line) => line.startsWith('panic: ')) ? 2 : 1) },
  log: { ok: true, value: lines },
  health: { state: 'none', why: 'http://10.0.0.2:2379/health gave no answer within 1500 ms' },
  self: undefined,
  ...changes,
});

export const NO_DATA: Pick<Observation, 'data' | 'examination'> = {
  data: { ...holding({ kind: 'none', memberId: '', clusterId: '' }).data, occupied: true },
  examination: undefined,
};
/** In TLS mode, by the app's view and etcd's settings, with none of its certificates. */
export const certificatesGone: Pick<Observation, 'app' | 'config' | 'tls'> = {
  app: {
    ok: true,
    value: {
      ...(healthy.app.ok ? healthy.app.value : ({} as never)),
      tls: true,
      nodes: [1, 2, 3].map((n) => ({ sid: `${n}`, ip: `10.0.0.${n}` })),
    },
  },
  config: {
    ok: true,
    value: {
      ...(healthy.config.ok ? healthy.config.value : ({} as never)),
      tls: { ca: 'ca.pem', cert: 'client.pem', key: 'client-key.pem' },
    },
  },
  tls: { missing: ['/var/lib/etcd/ssl/etcd/ca.pem'], faults: [], othersThere: true },
};
export const BOOTSTRAPPED = `member ${OWN} has already been bootstrapped`;

export const situation = (observed: Observation): Situation => situationOf(observed, PLACES);

/** What guards ask besides, where nothing stands in the way. */
export const guardFacts: GuardFacts = {
  goesOn: false,
  leftToPerson: undefined,
  offerRefused: undefined,
  provenStale: false,
  healsInLastDay: [],
  maxPerDay: 3,
  freeBytes: 1e12,
  reclaimableBytes: 0,
  swapRoom: { path: PLACES.originals, rootBytes: 1e12, inodes: 1e6 },
};
