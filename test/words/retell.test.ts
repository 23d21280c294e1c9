import { test } from 'uvu';
import * as assert from 'uvu/assert';
import catalogue from '../../src/words/catalogue.json';
import { readingOf, retell, speak, tell, understand } from '../../src/words/retell.ts';
import type { Row } from '../../src/words/words.ts';

test.after.each(() => void speak({ language: 'en' }));

/** In both languages. */
const both = (text: string): readonly string[] =>
  (['en', 'zh'] as const).map((language) => {
    speak({ language });
    return retell(text);
  });

test('a text is shown in the language that is spoken, with the codes of its messages', () => {
  const found = 'etcd2 is stale (stale/wal-damaged): its write-ahead log is damaged.';
  assert.equal(both(`${found} HEAL_MODE is manual: heal by hand with \`heal-node heal\`.`), [
    `${found} HEAL_MODE is manual: heal by hand with \`heal-node heal\`. [HN-130, HN-845]`,
    'etcd2 的诊断结论：失效成员 stale（stale/wal-damaged），WAL(预写日志)已损坏。HEAL_MODE 为 manual：请执行 `heal-node heal` 恢复本节点。[HN-130, HN-845]',
  ]);
});

test('what stands in a place is shown so too, also where several parts follow one another', () => {
  const refused =
    'The heal of etcd2 (stale/wal-damaged) was refused before fence: quorum: 1 of 3 members serve without this one, 2 are needed (http://10.0.0.1:2379: no answer within 1000 ms); mounted: /data is on the root file system, and etcd.env, too, is lost. Nothing was changed.';
  assert.equal(both(refused), [
    `${refused} [HN-716, HN-739, HN-624]`,
    'etcd2 的自愈（stale/wal-damaged）在步骤 fence 之前被拒绝执行：quorum：不算本成员，3 个成员中有 1 个在服务，需要 2（其他成员：http://10.0.0.1:2379：在 1000 毫秒内没有应答）；mounted：/data 在根文件系统上，etcd.env 也已丢失。没有做任何改动。[HN-716, HN-739, HN-624]',
  ]);
});

test('a long text is read to its end', () => {
  const silent = [1, 3, 4, 5].map((n) => {
    const url = `http://10.0.0.${n}:2379`;
    return `${url}: ${url}: Get ${url}/health: dial tcp 10.0.0.${n}:2379: i/o timeout`;
  });
  const guards = [
    "unit-file: etcd's unit is missing",
    'stale: nothing seen in this boot proves its data stale',
    `quorum: 0 of 5 members serve without this one, 3 are needed (${silent.join('; ')})`,
    'app-quiet: nodes are being added: 4',
    'mounted: /data is on the root file system, and etcd.env, too, is lost',
    "disk-room: 1 bytes are free, 2 are needed; delete other files there, or set HEAL_KEEP_ASIDE=0, with which this node's old data are not kept at all",
  ];
  const refused = `The heal of etcd2 (stale/removed) was refused before fence: ${guards.join('; ')}. All steps were taken back (/etc/systemd/system/etcd.service is back as it was; /var/lib is back). Action: see \`heal-node plan\`.`;
  assert.match(retell(refused), /HN-739, HN-728, HN-626, HN-403\]$/);
});

test('of rows that fit the one counts by which most is known', () => {
  const [, zh = ''] = both(
    'No heal is begun or taken up: heals are paused on this node until 2026-11-29T18:00Z by root@a: b; `heal-node unpause` ends that.',
  );
  assert.is(
    zh,
    '暂不自愈：本节点的自愈已由 root@a 暂停，到 2026-11-29T18:00Z 为止（原因：b）；`heal-node unpause` 可提前结束。[HN-439]',
  );
});

test('what etcd says in it stays as it is, and does not hide the code', () => {
  const [, zh = ''] = both(
    'Refused for now, asking again for up to 90 s: http://10.0.0.1:2379/add: 503 {"error": "etcdserver: no"}',
  );
  assert.is(
    zh,
    '暂时被拒绝，最多在 90 秒内重试：http://10.0.0.1:2379/add: 503 {"error": "etcdserver: no"} [HN-392]',
  );
});

test('what no row has stays as it is', () => {
  for (const text of ['', 'panic: walpb: crc mismatch; no more', '{0} and {1}', '. ', '(((', '\n'])
    assert.equal(both(text), [text, text]);
  assert.is(tell('{0} is there, {1} not', 1), '1 is there, {1} not');
});

test('a text that was made to cost time is given up after so many characters, and is shown', () => {
  for (const part of ['x; ', 'x: ', 'X. ', ' is ', ' (', '; its alarm ', 'The heal of ', 'member a (']) {
    const text = part.repeat(2900 / part.length);
    const by = readingOf(text);
    understand(text, by);
    assert.ok(by.left > -1e7, `${part}: ${by.left}`);
    assert.ok(retell(text).length > 1000);
  }
});

test('the place whose code is shown is one of the row, and values stand in the order of their numbers', () => {
  for (const [en, row] of Object.entries<Row>(catalogue.sentences)) {
    const places = [...en.matchAll(/\{(\d)\}/g)].map(([, n]) => Number(n));
    assert.equal(places, [...places.keys()], en);
    assert.ok(row.codeAt === undefined || places.includes(row.codeAt), en);
    assert.not.match(en, /\}\{/, 'nothing would say where one ends');
  }
});

test.run();
