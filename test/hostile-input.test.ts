/**
 * Whatever is read may have been written by somebody else: random and mutated input, a reader at a time. Nothing
 * crashes, hangs or answers with anything but a value or an Error with a message.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { parseAppView } from '../src/appcenter/app-view.ts';
import { readJson } from '../src/cluster/etcdctl.ts';
import * as replies from '../src/cluster/replies.ts';
import { diagnose } from '../src/diagnose/diagnose.ts';
import { etcdConfig } from '../src/machine/etcd/etcd-config.ts';
import type { Examination } from '../src/machine/etcd/examine.ts';
import { examine } from '../src/machine/etcd/examine.ts';
import { linesSince, plainLine } from '../src/machine/etcd/log-lines.ts';
import { certificateFaults } from '../src/machine/os/certificates.ts';
import { listeningSockets } from '../src/machine/os/network.ts';
import { parseProcess } from '../src/machine/os/process.ts';
import { parseEnvFile, setEnvValues } from '../src/machine/systemd/env-file.ts';
import { parseShow } from '../src/machine/systemd/systemctl.ts';
import { environmentFiles, pointEnvironmentFile } from '../src/machine/systemd/unit-file.ts';
import { parseSettings } from '../src/settings/parse-settings.ts';
import { recordedLines } from './diagnose/recorded-lines.ts';
import { crashed, ENV, situation } from './fake/observation.ts';

const RUNS = 2000;
const recorded = join(import.meta.dirname, 'machine/etcd/recorded/one-write/member');
const wal = readFileSync(join(recorded, 'wal/0000000000000000-0000000000000000.wal'));
const db = readFileSync(join(recorded, 'snap/db'));
const server = readFileSync(join(import.meta.dirname, 'machine/os/recorded/certificates/server.pem'), 'utf8');
const STATUS = `{"header":{"cluster_id":"9980","member_id":"1046","revision":"5","raft_term":"2"},"version":"3.4.23","dbSize":"20480","leader":"1046","raftIndex":"9","raftTerm":"2","errors":["memberID:10501334649042878790 alarm:NOSPACE "]}`;
const LIST = `{"header":{"cluster_id":9980,"member_id":1046},"members":[{"ID":18331233011,"name":"etcd2","peerURLs":["http://10.0.0.2:2380"]}]}`;
const KEYS = '{"header":{},"kvs":[{"value":"eA==","lease":"77"}]}';
const TXN = '{"header":{},"succeeded":true}';

const WAL = '0000000000000000-0000000000000000.wal';
const place = mkdtempSync(join(tmpdir(), 'heal-node-hostile-'));
process.on('exit', () => rmSync(place, { recursive: true }));

/** What an examination says of a dir with these files, as its log and as its snapshots. It never throws. */
function examined(files: Readonly<Record<string, string>>): Examination {
  const dir = join(place, 'member/snap');
  mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, 'latin1');
  try {
    return examine(place, dir, { bytes: 1 << 24, ms: 1000, depth: 'all' });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

interface Reader {
  readonly name: string;
  /** Something well-formed, to mutate. */
  readonly seed: string;
  /** Something that is refused; undefined where the best is made of whatever comes. */
  readonly bad?: string;
  readonly read: (text: string) => unknown;
}

const json = (schema: v.GenericSchema) => (text: string) => v.parse(schema, readJson(text));

const readers: readonly Reader[] = [
  {
    name: "etcd's environment",
    seed: ENV,
    bad: 'ETCD_NAME=\n',
    read: (text) => etcdConfig(parseEnvFile(text), 'etcd.env'),
  },
  {
    name: 'an environment that is edited',
    seed: ENV,
    read: (text) => setEnvValues(text, { A: 'b' }),
  },
  {
    name: "the app's view",
    seed: 'MY_ROLE=etcd-node\nMY_SID=2\nSTABLE_NODES="1=10.0.0.1"\n',
    bad: 'MY_ROLE=king\n',
    read: (text) => parseAppView(text, '.env'),
  },
  {
    name: "the app's view that was being written when power went",
    seed: 'MY_ROLE=etcd-node\nHOSTS_DOMAIN_NAME="10.0.0.1 etcd1.cl-1.etcd"\n',
    bad: 'MY_ROLE=etcd-node\nHOSTS_DOMAIN_NAME="10.0.0.1 et',
    read: (text) => parseAppView(text, '.env'),
  },
  {
    name: 'settings',
    seed: 'HEAL_MODE=auto\nHEAL_CHECK_TIMEOUT=3s\n',
    bad: 'HEAL_MODE=of\n',
    read: (text) => parseSettings(text, {}),
  },
  {
    name: 'a unit',
    seed: '[Service]\nEnvironmentFile=-/a # c\nExecStart=/b \\\n c\n',
    bad: '[Service]\nEnvironmentFile=/a \\\n/b\n',
    read: environmentFiles,
  },
  {
    name: 'a unit that is edited',
    seed: '[Service]\nEnvironmentFile=-/a # c\nExecStart=/b \\\n c\n',
    bad: '[Service]\nEnvironmentFile=/a \\\n/b\n',
    read: (text) => pointEnvironmentFile(text, '/a', '/b'),
  },
  {
    name: 'systemctl show',
    seed: 'MainPID=1\nEnvironmentFiles=/a (ignore_errors=no)\nInvocationID=\n\nMainPID=0\n',
    read: parseShow,
  },
  { name: 'status of the gateway', seed: STATUS, bad: '{"header":7}', read: json(replies.status) },
  {
    name: "etcdctl's member list",
    seed: LIST,
    bad: '{"header":{},"members":"none"}',
    read: json(replies.memberList),
  },
  { name: 'a transaction', seed: TXN, bad: '{"header":{},"succeeded":7}', read: json(replies.transaction) },
  { name: 'keys', seed: KEYS, bad: '{"header":{},"kvs":[{"value":"?"}]}', read: json(replies.kvs) },
  {
    name: 'hashes',
    seed: '{"hash":1,"compact_revision":"2"}',
    bad: '{"hash":"x"}',
    read: json(replies.hashKv),
  },
  {
    name: '/proc/PID/stat',
    seed: '7 (et) cd) S 1 7 7 0 -1 0 0 0 0 0 5 6 0',
    read: (text) => parseProcess(text, text),
  },
  {
    name: '/proc/net/tcp',
    seed: '  sl\n 0: 0100007F:094C 00000000:0000 0A 0 0 0 0 0 77\n',
    read: (text) => listeningSockets(text, [2380]),
  },
  {
    name: 'a certificate',
    seed: server,
    read: (cert) => certificateFaults({ setting: 'S', cert, key: cert, ca: cert, hosts: ['a'] }, 0),
  },
  {
    name: 'a log file',
    seed: '{"ts":"2026-01-01T00:00:00Z","msg":"a"}\n',
    read: (text) => linesSince(text, 0),
  },
  { name: 'a bbolt file', seed: db.toString('latin1'), read: (text) => examined({ db: text }) },
  {
    name: 'a WAL',
    seed: wal.toString('latin1'),
    read: (text) => examined({ [WAL]: text }),
  },
  {
    name: 'a log line, up to the verdict',
    seed: Object.values(recordedLines).flat().join('\n'),
    read: (text) => diagnose(situation(crashed(text.split('\n').map(plainLine)))).verdict,
  },
];

/** A seed with some of it overwritten, cut out or doubled. */
const mutated = (seed: string) =>
  fc
    .array(
      fc.tuple(
        fc.nat(seed.length),
        fc.nat(40),
        fc.oneof(
          fc.string({ maxLength: 20, unit: 'binary' }),
          fc.constantFrom('"', '\\', '\n', '=', '\0', '{', '9'.repeat(30)),
        ),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((edits) =>
      edits.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), seed),
    );

let inputs = 0;
for (const { name, seed, bad, read } of readers) {
  test(`${name}: random and mutated`, () => {
    assert.not.throws(() => read(seed), 'what is well-formed is read');
    if (bad !== undefined)
      assert.throws(
        () => read(bad),
        (error: Error) => error.message !== '',
      );
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(mutated(seed), fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
        try {
          read(text);
          inputs++;
          return true;
        } catch (error) {
          inputs++;
          refused++;
          return (
            error instanceof Error &&
            error.message !== '' &&
            !(error instanceof RangeError) &&
            !(error instanceof TypeError)
          );
        }
      }),
      { numRuns: RUNS },
    );
    if (bad === undefined) assert.is(refused, 0);
  });
}

test('a line of 8 MB, and a million lines, take no time to speak of and no more memory than they have', () => {
  const long = `error validating peerURLs ${'member count is '.repeat(500_000)}`;
  assert.is(diagnose(situation(crashed([plainLine(long)]))).verdict, 'unknown');
  const many = Array.from({ length: 1_000_000 }, () => 'raft: a line that says nothing');
  assert.is(diagnose(situation(crashed(many))).verdict, 'unknown');
});

test('a WAL that claims a record of petabytes, or of nothing, is damage', () => {
  for (const length of [2n ** 55n, 2n ** 62n, 11n << 20n]) {
    const bytes = Buffer.from(wal);
    bytes.writeBigUInt64LE(length, 0);
    assert.is(examined({ [WAL]: bytes.toString('latin1') }).kind, 'damaged');
  }
});

test('every reader has had its inputs', () => assert.ok(inputs >= readers.length * RUNS));

test.run();
