import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Observation } from '../../src/observe/observation.ts';
import { askGuards, type GuardFacts, type GuardId, guards } from '../../src/plan/guards.ts';
import { healSteps } from '../../src/plan/heal-steps.ts';
import {
  asked,
  BOOTSTRAPPED,
  certificatesGone,
  crashed,
  damagedWal,
  guardFacts as facts,
  failedUnit,
  healthy,
  holding,
  members,
  NO_DATA,
  PLACES,
  silent,
  situation,
  unit,
} from '../fake/observation.ts';

const stale = crashed([BOOTSTRAPPED], { ...NO_DATA });
const app = healthy.app.ok ? healthy.app.value : undefined;
const withApp = (changes: object) =>
  ({ ...stale, app: { ok: true, value: { ...app, ...changes } } }) as Observation;
const damaged = (changes: object) => crashed([], damagedWal(changes));
const withHost = (changes: object) =>
  ({
    ...stale,
    host: { ok: true, value: { ...(healthy.host?.ok ? healthy.host.value : {}), ...changes } },
  }) as Observation;
const listing = (list: typeof members) => ({
  ...stale,
  others: [asked(1, { members: list }), asked(3, { members: list })],
});
const twin = members.map((m) => (m.name === 'etcd3' ? { ...m, name: 'etcd2' } : m));

type Begun = GuardFacts['healsInLastDay'][number];
const HEALED: Begun = { outcome: 'healed', message: 'Healed in 1 ms.', steps: [] };
const step = (id: string) => ({ id, startedAt: '2026-01-01T00:00:00Z' });
const PAST_RETURN: Begun = { outcome: 'failed', message: '', steps: [step('fence'), step('remove')] };
const REFUSED: Begun = {
  outcome: 'refused',
  message: 'refused before fence: quorum',
  steps: [step('fence')],
};

const refusals: readonly (readonly [
  id: GuardId,
  observed: Observation,
  why: RegExp,
  facts?: Partial<GuardFacts>,
])[] = [
  ['not-paused', { ...stale, pause: 'heals are paused on this node' }, /^heals are paused on this node$/],
  [
    'not-paused',
    { ...stale, others: [asked(1), asked(3, { pause: 'heals are paused in the whole cluster' })] },
    /^heals are paused in the whole cluster$/,
  ],
  ['role', withApp({ role: 'etcd-proxy' }), /this node is etcd-proxy/],
  ['role', { ...stale, app: { ok: false, why: '/opt/app/bin/.env is missing.' } }, /\.env is missing/],
  ['unit-file', { ...stale, swap: { ...stale.swap, unitFile: 'link' } }, /etcd's unit is a link/],
  ['unit-file', { ...stale, swap: { ...stale.swap, unitFile: 'none' } }, /etcd's unit is missing/],
  [
    'unit-file',
    {
      ...stale,
      swap: { ...stale.swap, unitFile: 'none' },
      unit: { ok: true, value: { ...failedUnit(), fragment: '/lib/systemd/system/etcd.service' } },
    },
    /etcd's unit is \/lib\/systemd\/system\/etcd\.service.*copy it to/,
  ],
  ['data-dir', { ...stale, data: { ...NO_DATA.data, dir: 'mount point' } }, /default\.etcd is a mount point/],
  ['data-dir', { ...stale, data: { ...NO_DATA.data, walDir: 'link' } }, /is a link/],
  ['stale', crashed(['panic: something new']), /nothing seen in this boot proves/],
  ['not-serving', healthy, /answers healthy/],
  [
    'own-data',
    { ...damaged({ memberId: '59b0fd95b07996d8' }), others: [asked(1), silent(3)] },
    /another node's and does not serve there/,
  ],
  ['own-data', damaged({ clusterId: 'abc' }), /the data are of cluster abc/],
  ['own-data', damaged({ memberId: '', clusterId: '' }), /does not say whose data these are/],
  ['own-data', crashed([], holding({ kind: 'unknown', memberId: '' })), /cannot be told: no metadata/],
  [
    'by-hand',
    stale,
    /a runbook has been begun by hand/,
    { leftToPerson: 'a runbook has been begun by hand (etcd1.service); finish it' },
  ],
  [
    'version',
    withHost({ etcdVersion: '3.3.25' }),
    /its etcd is 3\.3\.25, that of the others at least 3\.4\.23/,
  ],
  ['mounted', withHost({ diskNotMounted: 'it is on the root file system' }), /root file system/],
  [
    'credentials',
    { ...stale, others: [asked(1, { credentialsRefused: 'etcdserver: user name is empty' }), asked(3)] },
    /user name is empty; set HEAL_ETCD_USER/,
  ],
  [
    'not-ahead',
    damaged({ logRead: false, notLookedAt: ['the log: the limit of 8000 ms was reached'] }),
    /not read to its end: the log: the limit/,
  ],
  ['not-ahead', damaged({ commit: 101n }), /has committed index 101; the cluster knows 100/],
  [
    'quorum',
    { ...stale, others: [asked(1), silent(3)] },
    /1 of 3 members serve without this one, 2 are needed.*10\.0\.0\.3/,
  ],
  ['quorum', { ...stale, others: [asked(1), asked(3, { leader: '0' })] }, /1 of 3/],
  ['quorum', { ...stale, others: [silent(1), silent(3)] }, /0 of \? members/],
  ['agreement', { ...stale, others: [asked(1), asked(3, { clusterId: 'x' })] }, /says cluster x/],
  [
    'own-member',
    { ...listing(twin), others: listing(twin).others.slice(0, 1) },
    /has this node's name etcd2 with other peer URLs/,
  ],
  [
    'own-member',
    { ...stale, others: [asked(1), { ...asked(2), endpoint: 'http://10.0.0.9:2379' }] },
    /is served by http:\/\/10\.0\.0\.9/,
  ],
  ['app-quiet', withApp({ isDeleted: true }), /IS_DELETED=true/],
  ['app-quiet', withApp({ added: ['4=10.0.0.4'] }), /being added: 4=10\.0\.0\.4/],
  ['app-quiet', withApp({ deleted: ['3=10.0.0.3'] }), /being deleted/],
  ['app-quiet', { ...stale, appBusy: ['etcd-restore.service'] }, /etcd-restore\.service is running/],
  ['app-quiet', { ...stale, appBusy: ['/opt/app/bin/ctl.sh upgrade'] }, /ctl\.sh upgrade is running/],
  [
    'app-quiet',
    withApp({ sid: '4', nodes: [{ sid: '1', ip: '10.0.0.1' }] }),
    /4, is not among the app's nodes/,
  ],
  [
    'birthmark',
    { ...stale, mark: { ...stale.mark, birthmark: 'a'.repeat(32) } },
    /the cluster has no birthmark.*heal-node adopt/,
  ],
  [
    'birthmark',
    {
      ...stale,
      mark: { ...stale.mark, birthmark: 'a'.repeat(32) },
      others: [asked(1, { birthmark: 'b'.repeat(32) })],
    },
    /shows birthmark b+, this node remembers a+/,
  ],
  [
    'certificates',
    withHost({ certificateFaults: ['peer.pem ended yesterday'] }),
    /peer\.pem ended yesterday/,
  ],
  ['certificates', { ...stale, ...certificatesGone, config: stale.config }, /ca\.pem is missing/],
  [
    'certificates',
    { ...stale, ...certificatesGone },
    /asked for certificates at/,
    { offerRefused: 'the heal that asked for certificates at 2026-01-01 ended with: nothing fits' },
  ],
  [
    'daily-limit',
    stale,
    /3 replacements were begun in 24 hours, HEAL_MAX_PER_DAY is 3.*The last one ended with: refused before fence/,
    { healsInLastDay: [HEALED, HEALED, PAST_RETURN, REFUSED] },
  ],
  ['disk-room', stale, /1000 bytes are free, \d+ are needed/, { freeBytes: 1000 }],
  [
    'disk-room',
    { ...stale, config: { ok: false, why: 'etcd.env is missing.' } },
    /the settings of etcd cannot be read/,
  ],
  ['disk-room', stale, /HEAL_KEEP_ASIDE=0/, { freeBytes: 1000, reclaimableBytes: 1000 }],
  [
    'swap-room',
    stale,
    /4096 bytes and 50 inodes are free for \/opt\/app\/conf\/etcd1\.env/,
    { swapRoom: { path: PLACES.copyEnv, rootBytes: 4096, inodes: 50 } },
  ],
  [
    'swap-room',
    stale,
    /3 inodes are free/,
    { swapRoom: { path: PLACES.copyEnv, rootBytes: 1e9, inodes: 3 } },
  ],
];

for (const [id, observed, why, changes] of refusals) {
  test(`${id} refuses: ${why.source}`, () => {
    const [answer] = askGuards(situation(observed), { ...facts, ...changes }, [id]);
    assert.is(answer?.pass, false);
    assert.match(answer?.why ?? '', why);
  });
}

test('a copy of the data of a member that serves elsewhere is proved stale', () => {
  const clone = crashed([], holding({ memberId: '59b0fd95b07996d8' }));
  assert.is(askGuards(situation(clone), facts, ['stale'])[0]?.pass, true);
});

test('a data dir that etcd cannot use keeps no clone from being set aside, and a crash on it proves no damage', () => {
  const ofRoot = withHost({ unusableData: ['/var/lib/etcd/default.etcd has owner 0:0'] });
  const clone = crashed([], { ...holding({ memberId: '59b0fd95b07996d8' }), host: ofRoot.host });
  const proof = (observed: Observation) => askGuards(situation(observed), facts, ['stale', 'certificates']);
  assert.equal(
    proof(clone).map(({ pass }) => pass),
    [true, true],
  );
  assert.equal(
    proof(damaged({})).map(({ pass }) => pass),
    [true, true],
  );
  assert.equal(
    proof({ ...damaged({}), host: ofRoot.host }).map(({ pass }) => pass),
    [false, true],
  );
});

test('certificates that are lost with the data, and what lacks without them, keep no heal from bringing them', () => {
  const { host } = withHost({ certificateFaults: ['none'], unusable: ['/x is missing'] });
  const lost = situation({ ...stale, ...certificatesGone, host });
  assert.is(askGuards(lost, facts, ['certificates'])[0]?.pass, true);
});

test('a member that the heal has removed comes back although nodes are being added, and no other is begun with', () => {
  const without = listing(members.filter(({ name }) => name !== 'etcd2'));
  const adding = { ...without, app: withApp({ added: ['4=10.0.0.4'] }).app };
  const passes = (goesOn: boolean, observed: Observation) =>
    askGuards(situation(observed), { ...facts, goesOn }, ['app-quiet'])[0]?.pass;
  assert.is(passes(true, adding), true);
  assert.is(passes(false, adding), false);
  const unstarted = listing(
    members.map((m) => (m.name === 'etcd2' ? { ...m, name: '', clientUrls: [] } : m)),
  );
  assert.is(passes(true, { ...unstarted, app: adding.app }), true, 'listed, and not started');
  assert.is(passes(true, withApp({ added: ['4=10.0.0.4'] })), false, 'while its old ID is listed');
});

test('between two crashes, and only then, a proof that lacks is asked for again', () => {
  const between = { ...healthy, unit: { ok: true, value: unit({ active: 'activating' }) } } as const;
  const again = (observed: Observation) => askGuards(situation(observed), facts, ['stale'])[0];
  for (const [observed, transient] of [
    [between, true],
    [healthy, false],
  ] as const) {
    assert.is(again(observed)?.pass, false);
    assert.is(again(observed)?.transient, transient);
  }
});

test('every guard has a refusal here', () => {
  const refused = new Set(refusals.map(([id]) => id));
  assert.equal(
    Object.keys(guards).filter((id) => !refused.has(id as GuardId)),
    [],
  );
});

test('all pass for a member whose data are gone while the others serve', () => {
  assert.equal(
    askGuards(situation(stale), facts).filter(({ pass }) => !pass),
    [],
  );
});

test('data of the member that a person has listed by other peer URLs are not set aside, whatever was proved before', () => {
  const moved = members.map((m) => (m.name === 'etcd2' ? { ...m, peerUrls: ['http://10.9.9.9:2380'] } : m));
  const s = situation({
    ...damaged({}),
    others: [asked(1, { members: moved }), asked(3, { members: moved })],
  });
  const { needs } = healSteps.find(({ id }) => id === 'set-aside') ?? {};
  const failed = askGuards(s, { ...facts, provenStale: true }, needs).filter(({ pass }) => !pass);
  assert.equal(
    failed.map(({ id }) => id),
    ['own-member'],
  );
});

test.run();
