import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { recovery } from '../../src/report/recovery.ts';
import {
  asked,
  crashed,
  damagedWal,
  healthy,
  holding,
  members,
  PLACES,
  silent,
  situation,
} from '../fake/observation.ts';

const of = (observed: Observation) => {
  const s = situation(observed);
  return recovery(s, diagnose(s).verdict, PLACES.env);
};
const said = (observed: Observation) => {
  const found = of(observed);
  if (found === undefined) throw new Error('nothing is said');
  return found;
};
const waits = (n: 1 | 3, raftIndex: bigint) =>
  asked(n, { serves: false, unavailableReason: 'no leader', leader: '0', raftIndex });

test('nothing is said where there is a quorum, or nobody else', () => {
  for (const observed of [healthy, crashed([]), crashed([], { ...damagedWal(), others: [] })])
    assert.is(of(observed), undefined);
});

test('where the others are silent this node knows its own data alone, and says how each node prints its line', () => {
  const { here, newest, steps } = said(crashed([], { others: [silent(1), silent(3)] }));
  assert.match(
    here,
    /^This node holds: cluster \w+, member \w+, committed 90, last entry 91 of term \d+, term 2, database applied 90, log whole\.$/,
  );
  assert.match(
    newest,
    /10\.0\.0\.1:2379 does not answer.*10\.0\.0\.3:2379 does not answer.*Of what is known here, this node/,
  );
  const commands = steps.flatMap((step) => step.commands);
  assert.ok(
    commands.includes(
      `ssh -p 16022 10.0.0.3 "/opt/heal-node/bin/heal-node diagnose | grep 'This node holds'"`,
    ),
  );
  assert.not(
    commands.some((command) => /repair|force-new-cluster/.test(command)),
    'they may serve',
  );
  assert.match(newest, /are enough for a quorum: they may serve, cut off from this node/);
  assert.match(steps[1]?.what ?? '', /^2\. Only where the data of 2 or more members are lost for good/);
  assert.match(steps[0]?.what ?? '', /^1\. First.*2 more of 3 that serve make a quorum \(2\)/);
});

/** What is observed of the others' machines. */
const machinesOf = (
  observed: Observation,
  ...reach: readonly ('open' | 'refused' | 'silent')[]
): Observation => {
  if (!observed.host?.ok) throw new Error('the host was not looked at');
  const peers = observed.host.value.peers.map((peer, i) => ({ ...peer, reach: reach[i] ?? 'silent' }));
  return { ...observed, host: { ok: true, value: { ...observed.host.value, peers } } };
};

test('what overwrites data is told where no other machine has an etcd, or one that answers knows no leader', () => {
  const observed = crashed([], { others: [silent(1), silent(3)] });
  const repairs = (each: Observation) =>
    of(each)?.steps.some(({ commands }) =>
      commands.includes(`/opt/app/bin/ctl.sh repair '{"node.ip":"ADDRESS"}'`),
    );
  const reached = (...reach: ('open' | 'refused' | 'silent')[]) => repairs(machinesOf(observed, ...reach));
  assert.is(reached('refused', 'refused'), true, 'nobody can say yet which');
  assert.is(reached('refused', 'silent'), true, 'the one that is silent is no quorum');
  for (const reach of ['open', 'silent'] as const) assert.is(reached('silent', reach), false);
  assert.is(repairs(crashed([], { others: [waits(1, 88n), silent(3)] })), true);
});

test('nor is it told where those that are silent, or are not called, may be a quorum', () => {
  const more = [4, 5].map((n) => ({ ...silent(1), endpoint: `http://10.0.0.${n}:2379` }));
  const five = [
    ...members,
    ...[4, 5].map((n) => ({ id: `${n}`, name: `etcd${n}`, peerUrls: [], clientUrls: [], isLearner: false })),
  ];
  const no = { serves: false, unavailableReason: 'no leader', leader: '0', members: five };
  const overwrites = (observed: Observation) =>
    said(observed).steps.some(({ commands }) => commands.some((each) => /repair|force-new/.test(each)));
  const of5 = (...others: Observation['others']) => overwrites(crashed([], { others: [...others, ...more] }));
  assert.is(of5(asked(1, no), silent(3)), false, 'three are silent');
  assert.is(of5(asked(1, no), asked(3, no)), true);
  // etcd.env lists the founders alone, and they are stopped.
  const founders = crashed([], { others: [silent(1), silent(3), ...more] });
  assert.is(overwrites(machinesOf(founders, 'refused', 'refused')), true, 'two are no quorum of five');
  const six = { ...silent(1), endpoint: 'http://10.0.0.6:2379' };
  const seven = { ...silent(1), endpoint: 'http://10.0.0.7:2379' };
  const scaled = { ...founders, others: [...founders.others, six, seven] };
  assert.is(overwrites(machinesOf(scaled, 'refused', 'refused')), false, 'four are one of seven');
});

test('nothing is said where one that is in reach serves, or knows a leader', () => {
  const short = holding({ logShort: true });
  for (const one of [asked(1), asked(1, { serves: false, unavailableReason: 'no answer' })])
    assert.is(of(crashed([], { ...short, others: [one, silent(3)] })), undefined);
});

test('members are counted once, however many answer, and so are those that this one lists', () => {
  const { steps } = said(crashed([], { ...damagedWal(), others: [waits(1, 88n), waits(3, 88n)] }));
  assert.match(steps[0]?.what ?? '', /more of 3 that serve make a quorum \(2\)/);
  assert.match(steps[1]?.what ?? '', /^2\. Only where the data of 2 or more members/);
});

test('of a log that is short what the database has applied counts; one that breaks off is no source', () => {
  const of3 = (changes: Parameters<typeof holding>[0]) =>
    said(crashed([], { ...holding(changes), others: [waits(1, 95n), waits(3, 94n)] }));
  const short = of3({ applied: 100n, logShort: true });
  assert.match(short.newest, /this node has the newest data/);
  assert.match(short.here, /log whole, short of its database\./);
  assert.match(of3({ brokenOff: true, commit: 100n }).newest, /10\.0\.0\.1:2379 has the newest data/);
});

test('who is of another cluster is no source, however much it has committed', () => {
  const other = asked(1, {
    serves: false,
    unavailableReason: 'no leader',
    leader: '0',
    raftIndex: 500n,
    clusterId: 'beef',
  });
  assert.match(said(crashed([], { others: [other, waits(3, 88n)] })).newest, /this node has the newest data/);
});

test('a WAL dir of its own is kept, and named to etcd', () => {
  const observed = crashed([], { others: [waits(1, 88n), silent(3)] });
  if (!observed.config.ok) throw new Error('no settings');
  const value = { ...observed.config.value, walDir: '/wal', separateWalDir: true };
  const commands = said({ ...observed, config: { ok: true, value } }).steps.flatMap((step) => step.commands);
  assert.ok(
    commands.some((command) => / -p Environment=ETCD_WAL_DIR=\/wal \S+ --force-new-cluster$/.test(command)),
  );
  assert.ok(
    commands.includes(
      'cp -a /var/lib/etcd/default.etcd /var/lib/etcd/default.etcd.kept; cp -a /wal /wal.kept',
    ),
  );
});

test('where the others answer, the one that has committed the most has the newest data', () => {
  const newestOf = (...others: Observation['others']) => of(crashed([], { others }))?.newest ?? '';
  assert.match(newestOf(waits(1, 89n), waits(3, 88n)), /So this node has the newest data\.$/);
  assert.match(newestOf(waits(1, 89n), waits(3, 95n)), /So http:\/\/10\.0\.0\.3:2379 has the newest data\.$/);
  assert.match(newestOf(waits(1, 95n), silent(3)), /Of what is known here, http:\/\/10\.0\.0\.1:2379/);
  const steps = of(crashed([], { others: [waits(1, 89n), waits(3, 95n)] }))?.steps ?? [];
  assert.ok(
    steps.flatMap(({ commands }) => commands).some((line) => line.includes('{"node.ip":"10.0.0.3"}')),
  );
});

test('as long as its own log was not read to the end, nobody can say that another has the newest data', () => {
  for (const unread of [{ examination: undefined }, holding({ logRead: false, commit: 5n, applied: 5n })]) {
    const { newest, steps } = said(crashed([], { ...unread, others: [waits(1, 89n), waits(3, 88n)] }));
    assert.match(newest, /Of what is known here, http:\/\/10\.0\.0\.1:2379 has the newest data/);
    assert.ok(steps.some(({ commands }) => commands.some((line) => line.includes('"node.ip":"ADDRESS"'))));
  }
});

test('damaged data are no source, however much they have committed', () => {
  const { here, newest } = said(
    crashed([], { ...damagedWal({ commit: 99n }), others: [waits(1, 5n), silent(3)] }),
  );
  assert.match(here, /log damaged \(0000000000000000-0000000000000000\.wal: crc mismatch\)/);
  assert.match(newest, /http:\/\/10\.0\.0\.1:2379 has the newest data/);
  const alone = of(
    crashed([], { ...holding({ kind: 'none', memberId: '' }), others: [silent(1), silent(3)] }),
  );
  assert.match(alone?.newest ?? '', /Nothing is known here of data that could be used\./);
  assert.match(alone?.here ?? '', /no data whose owner can be read/);
});

test('in Chinese the same commands stand below as many steps, and the line to compare is the same', () => {
  const observed = situation(crashed([], { others: [waits(1, 89n), silent(3)] }));
  const [en, zh] = (['en', 'zh'] as const).map((language) =>
    recovery(observed, 'quorum-lost', PLACES.env, language),
  );
  assert.equal(
    zh?.steps.map(({ commands }) => commands),
    en?.steps.map(({ commands }) => commands),
  );
  assert.is(zh?.here, en?.here);
  assert.match(zh?.newest ?? '', /10\.0\.0\.3:2379 没有应答.*就本节点所知，数据最新的是本节点。$/);
  for (const { what } of zh?.steps ?? []) assert.match(what, /^步骤[一二三四五六七八]：[^{}]*$/);
});

test('no placeholder is left, nor a line that is empty', () => {
  for (const others of [
    [silent(1), silent(3)],
    [waits(1, 1n), silent(3)],
  ]) {
    const { steps } = said(crashed([], { others }));
    for (const line of steps.flatMap(({ what, commands }) => [what, ...commands]))
      assert.is(/\{\{|\}\}|undefined|^\s*$/.test(line), false, line);
  }
});

test.run();
