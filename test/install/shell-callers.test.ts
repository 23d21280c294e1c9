import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shellCallers } from '../../src/install/install.ts';

test('who gives ctl.sh to a shell by name is found, and nobody else', () => {
  const root = mkdtempSync(join(tmpdir(), 'heal-node-callers-'));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  try {
    put('/etc/cron.d/app', '@daily root bash -e /opt/app/bin/ctl.sh compact\n');
    put('/etc/systemd/system/app.service', '[Service]\nExecStart=/bin/sh /opt/app/bin/ctl.sh start\n');
    put('/etc/crontab', '@daily root /opt/app/bin/ctl.sh compact\n');
    put('/opt/app/bin/other.sh', 'bash /opt/app/bin/ctl.shadow; bash -c "/opt/app/bin/ctl.sh check"\n');
    const found = shellCallers(root).split('\n').sort();
    assert.equal(found, [`${root}/etc/cron.d/app`, `${root}/etc/systemd/system/app.service`]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('without grep nobody is named', () => {
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent';
  try {
    assert.is(shellCallers('/nonexistent'), '');
  } finally {
    process.env.PATH = PATH;
  }
});

test.run();
