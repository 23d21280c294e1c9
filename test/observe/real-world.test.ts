import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterError } from '../../src/cluster/cluster.ts';
import { observe } from '../../src/observe/observe.ts';
import { realWorld } from '../../src/observe/real-world.ts';
import { parseSettings } from '../../src/settings/parse-settings.ts';

const test = suite<{ top: string }>('the real world');
test.before.each((context) => {
  context.top = mkdtempSync(join(tmpdir(), 'heal-node-world-'));
});
test.after.each(({ top }) => rmSync(top, { recursive: true }));

/** An etcdctl that writes down who it was called as, and has nothing to say. */
const etcdctlIn = (top: string): string => {
  const program = join(top, 'etcdctl');
  writeFileSync(program, `#!/bin/sh\necho "$ETCDCTL_USER" > ${top}/user\nexit 1\n`, { mode: 0o755 });
  return program;
};

test('a password file that is missing keeps nothing from being looked at: each call says so', async ({
  top,
}) => {
  const path = join(top, 'none');
  const settings = parseSettings(undefined, {
    HEAL_ETCD_USER: 'root',
    HEAL_ETCD_PASSWORD_FILE: path,
    HEAL_ETCDCTL: etcdctlIn(top),
  });
  const cluster = realWorld(settings).cluster(undefined);
  const error = await cluster.removeMember(['http://127.0.0.1:1'], 'abc').catch((e: Error) => e);
  assert.ok(error instanceof ClusterError && !error.transient, String(error));
  assert.is(error.message, `HEAL_ETCD_PASSWORD_FILE=${path} holds no password for root.`);
});

test('a password file that others can write is not used', async ({ top }) => {
  const path = join(top, 'password');
  writeFileSync(path, 'secret\n', { mode: 0o600 });
  const settings = parseSettings(undefined, {
    HEAL_ETCD_USER: 'root',
    HEAL_ETCD_PASSWORD_FILE: path,
    HEAL_ETCDCTL: etcdctlIn(top),
  });
  const said = async () => {
    const cluster = realWorld(settings).cluster(undefined);
    return String(await cluster.removeMember(['http://127.0.0.1:1'], 'abc').catch((e: Error) => e));
  };
  assert.match(await said(), /etcdctl member remove at http:\/\/127\.0\.0\.1:1: exit 1/);
  assert.is(readFileSync(join(top, 'user'), 'utf8').trim(), 'root:secret');
  chmodSync(path, 0o666);
  assert.match(await said(), /can be written by others than root/);
});

test('a link or a file in the place of a directory keeps nothing from being looked at', async ({ top }) => {
  mkdirSync(join(top, 'elsewhere/member'), { recursive: true });
  symlinkSync(join(top, 'elsewhere'), join(top, 'data'));
  writeFileSync(join(top, 'state'), '');
  const urls = ['LISTEN_PEER', 'INITIAL_ADVERTISE_PEER', 'LISTEN_CLIENT', 'ADVERTISE_CLIENT'];
  const env = [
    'ETCD_NAME=etcd1',
    `ETCD_DATA_DIR=${top}/data`,
    ...urls.map((name) => `ETCD_${name}_URLS=http://127.0.0.1:1`),
    'ETCD_INITIAL_CLUSTER=etcd1=http://127.0.0.1:1',
  ];
  writeFileSync(join(top, 'etcd.env'), env.join('\n'));
  const settings = parseSettings(undefined, {
    HEAL_ETCD_ENV: join(top, 'etcd.env'),
    HEAL_STATE_DIR: join(top, 'state'),
  });
  const { data, mark } = await observe(realWorld(settings), undefined, ['files']);
  assert.equal([data.dir, data.kind, data.occupied, mark.wasMember], ['link', 'unknown', true, false]);
});

test.run();
