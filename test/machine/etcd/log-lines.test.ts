import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lastWords, linesSince, plainLine } from '../../../src/machine/etcd/log-lines.ts';

const ZAP =
  '{"level":"panic","ts":"2026-11-23T19:03:43.010Z","caller":"backend/backend.go:162","msg":"failed to open database","path":"/a/snap/db","error":"invalid database"}';

test('a zap line becomes its message and its fields, without what says nothing', () => {
  assert.is(plainLine(ZAP), 'failed to open database path=/a/snap/db error=invalid database');
});

test('a line of the other format, or that is only like JSON, stays as it is', () => {
  assert.is(plainLine('etcdmain: walpb: crc mismatch'), 'etcdmain: walpb: crc mismatch');
  assert.is(plainLine('{"msg":"torn'), '{"msg":"torn');
});

test('of a log file only what was written since the start counts', () => {
  const early = ZAP.replace('19:03', '18:00');
  const text = `${early}\npanic: of the run before\n${ZAP}\npanic: failed to open database\n`;
  assert.equal(linesSince(text, Date.parse('2026-11-23T19:00:00Z')), [ZAP, 'panic: failed to open database']);
  assert.equal(linesSince(text, Date.parse('2026-11-23T20:00:00Z')), []);
});

const SHORT = 'tocommit(68) is out of range [lastIndex(34)]. Was the raft log corrupted, truncated, or lost?';
const TRACE = [
  'goroutine 155 [running]:',
  'go.etcd.io/etcd/raft.(*raftLog).commitTo(0xc0001b6000, 0x44)',
  '\t/tmp/etcd/raft/log.go:203 +0x131',
  'created by go.etcd.io/etcd/raft.RestartNode',
  '\t/tmp/etcd/raft/node.go:242 +0x24a',
];
const PANIC = [`panic: ${SHORT}`, '', ...TRACE];
const TAKEN =
  '2026-11-23 19:02:03.866217 C | etcdmain: listen tcp 127.0.0.1:2381: bind: address already in use';
const FLAGS =
  '{"level":"warn","ts":"2026-11-23T19:02:44.302182Z","caller":"etcdmain/etcd.go:75","msg":"failed to verify flags","error":"bad"}';
const REMOVED =
  '2026-11-23 19:03:30.328160 E | etcdserver: the member has been permanently removed from the cluster';
const exited = (exitStatus: number) => ({ mainPid: 0, exitKind: 1, exitStatus });
const KILLED = { mainPid: 0, exitKind: 2, exitStatus: 9 };

const endings: readonly (readonly [
  says: string,
  lines: readonly string[],
  exit: typeof KILLED,
  words: string[],
])[] = [
  ['a panic, after which Go ends it', [TAKEN, ...PANIC], exited(2), [SHORT]],
  [
    'a panic as journald before 235 has it',
    PANIC.map((line) => line.trim()).filter(Boolean),
    exited(2),
    [SHORT],
  ],
  [
    'a panic with the fields that zap has logged',
    [ZAP, 'panic: failed to open database', ...TRACE],
    exited(2),
    [plainLine(ZAP), 'failed to open database'],
  ],
  ['a fatal line', [...PANIC, TAKEN, 'raft2026/11/23 19:02:03 INFO: x'], exited(1), [TAKEN]],
  ['a line of the main program', [TAKEN, FLAGS], exited(1), ['failed to verify flags error=bad']],
  ['an error of the server', [TAKEN, REMOVED, TAKEN], exited(0), [REMOVED]],
  ['nothing, where it was killed', PANIC, KILLED, []],
  ['nothing, while it runs', PANIC, { ...exited(2), mainPid: 7 }, []],
  ['nothing, where no goroutine follows', [`panic: ${SHORT}`], exited(2), []],
  ['nothing, where something follows the report', [...PANIC, ' is created'], exited(2), []],
  [
    'nothing, where another end follows',
    [...PANIC, 'SIGABRT: abort', 'PC=0x4723a1 m=0 sigcode=0', ...TRACE],
    exited(2),
    [],
  ],
  [
    'nothing, where a panic quotes a client',
    ['panic: unmarshal x: no space left on device should never fail: invalid character', ...TRACE],
    exited(2),
    [],
  ],
  [
    'nothing, where what a panic quotes looks like another',
    ['panic: unmarshal ', ...PANIC, ' should never fail: invalid character', '', ...TRACE],
    exited(2),
    [],
  ],
];

for (const [says, lines, exit, words] of endings)
  test(`last words: ${says}`, () => assert.equal(lastWords(lines, exit), words));

test.run();
