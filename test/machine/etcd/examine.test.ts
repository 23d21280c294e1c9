import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Examination } from '../../../src/machine/etcd/examine.ts';
import { examine } from '../../../src/machine/etcd/examine.ts';
import { type Image, readImage, writeImage } from '../../sweep/image.ts';
import { dbPages, elements, walRecords } from '../../sweep/structure.ts';

/** What etcd 3.4.23 and 3.5.16 left on the disk of one member of three (record.ts). */
const recorded = (name: string): Image => readImage(join(import.meta.dirname, 'recorded', name));

const LOG = 'member/wal/0000000000000000-0000000000000000.wal';
const DB = 'member/snap/db';
const LIMITS = { bytes: 1 << 30, ms: 60_000, depth: 'all' } as const;

const test = suite<{ top: string; dir: string; look: (options?: object) => Examination }>('examine');
test.before.each((context) => {
  context.top = mkdtempSync(join(tmpdir(), 'heal-node-examine-'));
  const dir = join(context.top, 'default.etcd');
  context.dir = dir;
  context.look = (options = {}) => examine(dir, join(dir, 'member/wal'), { ...LIMITS, ...options });
});
test.after.each(({ top }) => rmSync(top, { recursive: true }));

/** The image with one file changed, or left out when `change` gives nothing. */
function changed(image: Image, path: string, change: (bytes: Buffer) => Buffer | undefined): Image {
  const bytes = change(Buffer.from(image.get(path)?.bytes ?? []));
  const rest = [...image].filter(([name]) => name !== path);
  return new Map(bytes ? [...rest, [path, { bytes, size: bytes.length }]] : rest);
}

for (const version of ['', '-3.5']) {
  const clusterVersion = version === '' ? '3.4.0' : '3.5.0';
  const whose = {
    memberId: '9f7decfe85ab95e9',
    clusterId: 'b29b08329391db2c',
    clusterVersion,
    damage: [],
  };

  for (const [name, expected] of Object.entries({
    // Three health checks and a look at the alarms stand in its log: neither is a client's write.
    founding: { kind: 'founding', isRemoved: false },
    'one-write': { kind: 'whole', isRemoved: false },
    snapshots: { kind: 'whole', isRemoved: false, commit: 68n, lastIndex: 68n, applied: 68n },
    removed: { kind: 'whole', isRemoved: true, lastIndex: 10n },
  })) {
    test(`etcd ${clusterVersion}, ${name}: what is found`, ({ dir, look }) => {
      writeImage(recorded(`${name}${version}`), dir);
      const found = look();
      assert.equal({ ...found, ...whose, ...expected }, found);
      assert.ok(found.term >= 2n && found.commit <= found.lastIndex && !found.logShort);
      assert.equal(found.notLookedAt, []);
    });
  }

  test(`etcd ${clusterVersion}: its kind alone is told without reading on`, ({ dir, look }) => {
    writeImage(recorded(`founding${version}`), dir);
    assert.is(look({ depth: 'kind' }).kind, 'founding');
    writeImage(recorded(`one-write${version}`), dir);
    const found = look({ depth: 'kind' });
    assert.is(found.kind, 'whole');
    assert.is(found.memberId, whose.memberId);
    assert.is(found.applied, undefined);
    assert.is(found.notLookedAt.length, 1);
  });
}

test('no data are none, whatever of a data dir is there', ({ dir, look }) => {
  assert.is(look().kind, 'none');
  writeImage(new Map(), dir);
  assert.is(look().kind, 'none');
  writeImage(
    changed(recorded('snapshots'), LOG, () => undefined),
    dir,
  );
  const found = look();
  assert.is(found.kind, 'none');
  assert.is(found.applied, 68n); // the database is looked at all the same
});

test('a link is not followed, and says nothing about the data', ({ top, dir, look }) => {
  writeImage(recorded('snapshots'), dir);
  renameSync(join(dir, DB), join(top, 'db'));
  symlinkSync(join(top, 'db'), join(dir, DB));
  const found = look();
  assert.is(found.kind, 'whole');
  assert.match(found.notLookedAt.join(), /is a link/);
  renameSync(join(dir, 'member/wal'), join(top, 'wal'));
  symlinkSync(join(top, 'wal'), join(dir, 'member/wal'));
  const blind = look();
  assert.is(blind.kind, 'unknown');
  assert.match(blind.notLookedAt.join(), /wal: (.*link|ENOTDIR)/);
});

test('a directory in the place of a file is not looked at', ({ dir, look }) => {
  writeImage(
    changed(recorded('snapshots'), DB, () => undefined),
    dir,
  );
  mkdirSync(join(dir, DB));
  assert.is(look().kind, 'whole');
  assert.match(look().notLookedAt.join(), /not a regular file/);
});

test('a limit that is reached is told, and is never damage', ({ dir, look }) => {
  const image = changed(recorded('snapshots'), DB, (bytes) => bytes.fill(0xff, 8192));
  writeImage(image, dir);
  assert.is(look().kind, 'damaged');
  for (const limit of [{ bytes: 100 }, { bytes: 9000 }, { bytes: 14_000 }, { ms: -1 }]) {
    const found = look(limit);
    assert.ok(['whole', 'unknown'].includes(found.kind), found.kind);
    assert.match(found.notLookedAt.join(), /the limit of -?\d+ (bytes|ms) was reached/);
  }
});

test('a log of which only foundings were read before a limit is not told to be a founding', ({
  dir,
  look,
}) => {
  writeImage(recorded('founding'), dir);
  assert.is(look({ bytes: 10 }).kind, 'unknown');
});

test('a record that was not written to its end is cut off by etcd; a changed one is refused', ({
  dir,
  look,
}) => {
  const image = recorded('one-write');
  const records = walRecords(image.get(LOG)?.bytes ?? Buffer.alloc(0));
  const last = records.at(-1);
  if (last === undefined) throw new Error('no record');
  for (const end of [last.at + 3, last.at + 8, last.dataAt, last.recordEnd - 1]) {
    writeImage(
      changed(image, LOG, (bytes) => bytes.subarray(0, end)),
      dir,
    );
    const found = look();
    assert.equal([found.kind, found.damage, found.logRead], ['whole', [], true], `cut at ${end}`);
  }
  writeImage(
    changed(image, LOG, (bytes) => {
      bytes[last.dataAt] = (bytes[last.dataAt] ?? 0) ^ 1;
      return bytes;
    }),
    dir,
  );
  assert.equal(look().damage, [{ file: LOG.split('/').at(-1), at: last.at, what: 'crc mismatch' }]);
});

test('of a checksum etcd keeps 32 bits, whatever stands beyond them', ({ dir, look }) => {
  const spoilt = changed(recorded('one-write'), LOG, (bytes) => {
    const last = walRecords(bytes).at(-1);
    assert.ok(last);
    // Behind the last record one of the checksum up to it: as that one has it, with one more bit set.
    const sum = [0, 1, 2, 3, 4].map((i) => (bytes[last.at + 11 + i] ?? 0) | (i < 4 ? 0x80 : 0x10));
    const own = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0, 0x08, 4, 0x10, ...sum]);
    return Buffer.concat([bytes.subarray(0, last.end), own]);
  });
  writeImage(spoilt, dir);
  const found = look();
  assert.equal([found.kind, found.damage, found.logRead], ['whole', [], true]);
});

test('a log that ends before what the database has applied is told, and is no founding', ({ dir, look }) => {
  const image = recorded('snapshots');
  const records = walRecords(image.get(LOG)?.bytes ?? Buffer.alloc(0));
  // The second state: what etcd writes behind the first entries, before the first write of a client.
  const [, state] = records.filter(({ type }) => type === 'state');
  const cut = changed(image, LOG, (bytes) => bytes.subarray(0, state?.at));
  writeImage(new Map([...cut].filter(([path]) => !path.endsWith('.snap'))), dir);
  const found = look();
  assert.is(found.kind, 'whole');
  assert.is(found.logShort, true);
  assert.is(found.applied, 68n);
});

test('the snapshot that the log begins with needs its database', ({ dir, look }) => {
  const image = recorded('snapshots');
  writeImage(
    changed(image, DB, () => undefined),
    dir,
  );
  assert.match(look().damage[0]?.what ?? '', /the database is missing/);
  writeImage(
    changed(image, DB, () => recorded('founding').get(DB)?.bytes),
    dir,
  );
  assert.match(look().damage[0]?.what ?? '', /has applied index 0, .* 0000000000000034.snap.db is missing/);
});

test('without a raft snapshot a database that is missing or empty is made anew from the log', ({
  dir,
  look,
}) => {
  writeImage(
    changed(recorded('one-write'), DB, () => undefined),
    dir,
  );
  assert.is(look().kind, 'whole');
  writeImage(
    changed(recorded('one-write'), DB, () => Buffer.alloc(0)),
    dir,
  );
  assert.is(look().kind, 'whole');
});

test('a revision that no search finds kills etcd when a client reads its key, and nobody can read one without a name', ({
  dir,
  look,
}) => {
  for (const [spoilsName, kind] of [
    [false, 'damaged'],
    [true, 'whole'],
  ] as const) {
    const image = changed(recorded('snapshots'), DB, (bytes) => {
      const page = dbPages(bytes).findLast(({ bucket, count }) => bucket === 'key' && count > 2);
      assert.ok(page, 'a page with keys');
      const all = elements(bytes, page);
      const [first, last] = [all[0], all.at(-1)] as [(typeof all)[number], (typeof all)[number]];
      // Where it stands now a search for its revision, right behind the first, does not come by.
      bytes.copy(bytes, last.keyAt, first.keyAt, first.keyAt + 8);
      bytes.writeBigInt64BE(99n, last.keyAt + 9);
      // Without a byte of a value etcd decodes neither key nor value.
      if (spoilsName) bytes.writeUInt32LE(0, last.at + 12);
      return bytes;
    });
    writeImage(image, dir);
    assert.is(look().kind, kind, JSON.stringify(look().damage));
    rmSync(dir, { recursive: true });
  }
});

test('where etcd may come to find another bucket, or a longer file, nothing is said against the database', ({
  dir,
  look,
}) => {
  const root = (bytes: Buffer) => {
    const page = dbPages(bytes).find(({ bucket }) => bucket === '');
    assert.ok(page);
    const all = elements(bytes, page);
    const of = (name: string) =>
      all.find(({ keyAt, valueAt }) => bytes.toString('utf8', keyAt, valueAt) === name);
    return { key: of('key'), meta: of('meta') };
  };
  for (const [spoils, said] of [
    // Out of order a search does not come by the bucket of the applied index before etcd has made a new one of keys.
    [
      (bytes: Buffer) => bytes.write('{', root(bytes).key?.keyAt ?? 0),
      /bucket meta, which stands out of order/,
    ],
    // Where its first key stands, counted from its element: behind the bucket's header and its page's.
    [
      (bytes: Buffer) => bytes.writeUInt32LE(1 << 20, (root(bytes).meta?.valueAt ?? 0) + 16 + 16 + 4),
      /bucket meta: a key lies beyond the end of the file/,
    ],
  ] as const) {
    const image = changed(recorded('snapshots'), DB, (bytes) => {
      spoils(bytes);
      return bytes;
    });
    writeImage(image, dir);
    assert.is(look().kind, 'whole', JSON.stringify(look().damage));
    assert.match(look().notLookedAt.join(), said);
    assert.is(look().applied, undefined);
    rmSync(dir, { recursive: true });
  }
});

test('so it does where a limit leaves the keys of that database unread: what it has applied is known', ({
  dir,
  look,
}) => {
  const name = 'consistent_index';
  const image = changed(recorded('snapshots'), DB, (bytes) => {
    for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1))
      bytes.writeBigUInt64BE(7n, at + name.length);
    return bytes;
  });
  writeImage(image, dir);
  const { applied, damage, kind, notLookedAt } = look({ bytes: 36_000 });
  assert.equal([applied, kind], [7n, 'damaged']);
  assert.match(damage[0]?.what ?? '', /has applied index 7, .* 0000000000000034.snap.db is missing/);
  assert.equal(notLookedAt, ['db: the limit of 36000 bytes was reached']);
});

test('files of the log that are missing are told', ({ dir, look }) => {
  const image = recorded('snapshots');
  const log = image.get(LOG);
  if (log === undefined) throw new Error('no log');
  const named = (name: string) =>
    new Map([...[...image].filter(([path]) => path !== LOG), [`member/wal/${name}.wal`, log] as const]);
  writeImage(named('0000000000000001-0000000000000045'), dir);
  assert.match(
    look().damage[0]?.what ?? '',
    /file not found: the log begins at index 69, the snapshot is at 52/,
  );
  writeImage(named('0000000000000001-0000000000000030'), dir);
  assert.is(look().kind, 'whole');
});

test('whether a log is read to its end or breaks off at a record is told, however little of it is looked at', ({
  dir,
  look,
}) => {
  const image = recorded('snapshots');
  writeImage(image, dir);
  assert.equal([look({ depth: 'log' }).brokenOff, look().brokenOff], [false, false]);
  writeImage(
    changed(image, LOG, (bytes) => {
      const { recordEnd = 0 } = walRecords(bytes)[60] ?? {};
      bytes[recordEnd - 1] = (bytes[recordEnd - 1] ?? 0) ^ 1;
      return bytes;
    }),
    dir,
  );
  const found = look({ depth: 'log' });
  assert.equal([found.brokenOff, found.kind], [true, 'whole']);
  assert.ok(found.commit < 68n);
  assert.equal([look().brokenOff, look().kind], [true, 'damaged']);
});

test('of a long log the last two files tell what has been committed, and no others are read for that', ({
  dir,
  look,
}) => {
  const image = recorded('snapshots');
  const log = image.get(LOG);
  if (log === undefined) throw new Error('no log');
  const noise = { bytes: Buffer.alloc(4096, 7), size: 4096 };
  const unwritten = { bytes: Buffer.alloc(4096), size: 4096 };
  writeImage(
    new Map([
      ...[...image].filter(([path]) => path !== LOG),
      ['member/wal/0000000000000000-0000000000000000.wal', noise] as const,
      ['member/wal/0000000000000001-0000000000000010.wal', unwritten] as const,
      ['member/wal/0000000000000002-0000000000000030.wal', log] as const,
    ]),
    dir,
  );
  const { commit, lastIndex, memberId, logRead } = look({ depth: 'log', bytes: log.size + 100_000 });
  assert.equal([commit, lastIndex, memberId, logRead], [68n, 68n, '9f7decfe85ab95e9', true]);
  assert.is(look().kind, 'damaged', 'all of it is looked at where it is to be judged');
});

test('a gigabyte that is not written is not read', ({ dir, look }) => {
  writeImage(recorded('snapshots'), dir);
  truncateSync(join(dir, LOG), 1 << 30);
  truncateSync(join(dir, DB), 1 << 30);
  assert.is(look({ bytes: 1 << 20 }).kind, 'whole');
});

test('a record that claims petabytes, or more than etcd takes, is damage', ({ dir, look }) => {
  for (const length of [2n ** 55n, 2n ** 62n, 11n << 20n]) {
    writeImage(
      changed(recorded('one-write'), LOG, (bytes) => {
        bytes.writeBigUInt64LE(length, 0);
        return bytes;
      }),
      dir,
    );
    assert.is(look().kind, 'damaged', String(length));
  }
});

test('etcd 3.5 takes longer records: what 3.4 refuses for its length is not looked at there', ({
  dir,
  look,
}) => {
  const image = recorded('one-write-3.5');
  const last = walRecords(image.get(LOG)?.bytes ?? Buffer.alloc(0)).at(-1);
  writeImage(
    changed(image, LOG, (bytes) => {
      bytes.writeBigUInt64LE(11n << 20n, last?.at ?? 0);
      return bytes;
    }),
    dir,
  );
  const found = look();
  assert.equal([found.kind, found.damage, found.logRead], ['whole', [], false]);
  assert.match(found.notLookedAt.join(), /refuse for its length/);
});

test('any page of the database zeroed, or made noise, is told or let be, and never tripped over', ({
  dir,
  look,
}) => {
  const image = recorded('snapshots');
  const pages = Math.ceil((image.get(DB)?.size ?? 0) / 4096);
  for (const byte of [0, 0x5f, 0xff]) {
    for (let page = 0; page < pages; page++) {
      writeImage(
        changed(image, DB, (bytes) =>
          bytes.fill(byte, page * 4096, Math.min(bytes.length, (page + 1) * 4096)),
        ),
        dir,
      );
      assert.equal(look().notLookedAt, [], `page ${page}, ${byte}`);
    }
  }
});

test('whatever the bytes are, nothing is thrown and memory is bounded', ({ dir, look }) => {
  const images = new Map(['founding', 'snapshots', 'snapshots-3.5'].map((name) => [name, recorded(name)]));
  const before = process.memoryUsage().rss;
  fc.assert(
    fc.property(
      fc.constantFrom(...images.keys()),
      fc.nat(),
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      (name, which, where, noise) => {
        const image = images.get(name) ?? new Map();
        const paths = [...image.keys()];
        const path = paths[which % paths.length] as string;
        const spoilt = changed(image, path, (bytes) => {
          bytes.set(noise.subarray(0, bytes.length), where % Math.max(1, bytes.length - noise.length));
          return bytes;
        });
        writeImage(spoilt, dir);
        const { kind, damage, notLookedAt } = look();
        // What a reader trips over is not looked at: that must be its own words, not the runtime's.
        const said = notLookedAt.every((text) =>
          /of \d+ bytes at byte|bucket \w+: |stands out of order|may be anything|refuse for its length/.test(
            text,
          ),
        );
        return said && (kind === 'damaged') === damage.length > 0;
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(process.memoryUsage().rss - before < 300e6);
});

test.run();
