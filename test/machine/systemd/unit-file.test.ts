import fc from 'fast-check';
import * as ini from 'ini';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentFiles, pointEnvironmentFile } from '../../../src/machine/systemd/unit-file.ts';

const FROM = '/opt/app/conf/etcd.env';
const TO = '/opt/app/conf/etcd1.env';

const UNIT = `# EnvironmentFile=/opt/app/conf/etcd.env
[Unit]
Description=etcd
EnvironmentFile=/opt/app/conf/etcd.env

[Service]
; comment
EnvironmentFile=-/etc/default/etcd
  EnvironmentFile = -/opt/app/conf//etcd.env\t
ExecStart=/opt/etcd/current/etcd \\
  EnvironmentFile=/opt/app/conf/etcd.env
[Install]
WantedBy=multi-user.target`;

test('only the lines of [Service] that name the file are changed, and nothing else in them', () => {
  const { text, changed } = pointEnvironmentFile(UNIT, FROM, TO);
  assert.is(changed, 1);
  assert.is(
    text,
    UNIT.replace('  EnvironmentFile = -/opt/app/conf//etcd.env\t', `  EnvironmentFile = -${TO}\t`),
  );
});

test('a second parser sees the same unit but for that line', () => {
  const read = (text: string) =>
    ini.parse(text, { bracketedArray: false }) as Record<string, Record<string, unknown>>;
  const before = read(UNIT);
  const after = read(pointEnvironmentFile(UNIT, FROM, TO).text);
  assert.equal(after.Unit, before.Unit);
  assert.equal(after.Install, before.Install);
  assert.is(after.Service?.ExecStart, before.Service?.ExecStart);
  assert.equal(
    String(after.Service?.EnvironmentFile).replaceAll(TO, '/opt/app/conf//etcd.env'),
    String(before.Service?.EnvironmentFile),
  );
});

test('the files are listed in order, and an empty assignment empties the list', () => {
  assert.equal(environmentFiles(UNIT), ['/etc/default/etcd', '/opt/app/conf/etcd.env']);
  assert.equal(environmentFiles('[Service]\nEnvironmentFile=/a\nEnvironmentFile=\nEnvironmentFile=/b\n'), [
    '/b',
  ]);
});

test('a line that is continued is an error that names it', () => {
  assert.throws(
    () => environmentFiles('[Service]\nEnvironmentFile=/a \\\n/b\n'),
    /line 2, "EnvironmentFile=\/a \\"/,
  );
});

test('there and back is the same text, whatever the unit', () => {
  const line = fc.constantFrom(
    '[Service]',
    '[Unit]',
    '# x',
    '',
    `EnvironmentFile=${FROM}`,
    `EnvironmentFile=-${FROM}`,
    'ExecStart=/x \\',
    'a=b',
    ' ; y',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join('\n');
      let there: string;
      try {
        there = pointEnvironmentFile(text, FROM, TO).text;
      } catch {
        return true;
      }
      return pointEnvironmentFile(there, TO, FROM).text === text;
    }),
    { numRuns: 2000 },
  );
});

test.run();
