import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { TestMachine } from '../bed/machine.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { sh, until } from '../bed/sh.ts';
import { idsOf } from './stories.ts';

const STOPPED_MS = 10_000;
const NAMES = ['ca', 'client', 'client-key', 'server', 'server-key', 'peer', 'peer-key'];
const CTL = '/opt/app/bin/ctl.sh';

/** Of the etcd that runs there; empty when none does. */
const etcdPid = async (machine: TestMachine): Promise<string> =>
  (await machine.run('pgrep', '-x', 'etcd')).stdout.trim();

/** While PID 1 of the machine stands still for ten seconds: it answers nothing, and starts and stops nothing. */
async function whileSystemdStands(machine: TestMachine, story: () => Promise<void>): Promise<void> {
  const untilMs = Date.now() + STOPPED_MS;
  await sh('kill', '-STOP', String(machine.pid));
  try {
    do await story();
    while (Date.now() < untilMs);
  } finally {
    await sh('kill', '-CONT', String(machine.pid));
  }
}

const certificates = (machine: TestMachine): string => {
  const dir = join(machine.dataDisk, 'ssl/etcd');
  return readdirSync(dir)
    .sort()
    .map((name) => `${name}: ${readFileSync(join(dir, name), 'utf8')}`)
    .join('\n');
};

scenario(
  'neither a systemd that stands still nor lost certificates make the action do harm',
  {
    // As the app's: on the first node, without a CA, the start makes one, for everybody.
    image: (dir) => {
      const path = join(dir, CTL);
      const makes =
        '  if [ "$ETCD_ENABLE_TLS" = true ] && [ ! -e /var/lib/etcd/ssl/etcd/ca.pem ]; then date >>/root/made-new-ca; fi\n';
      writeFileSync(path, readFileSync(path, 'utf8').replace('start() {\n', `start() {\n${makes}`));
    },
  },
  async (stage) => {
    const { machine, machines, client } = stage;
    const [first, well, other] = [machine(1), machine(2), machine(3)];
    const writer = client();
    await writer.writes(20);
    await writer.stop();
    for (const each of machines) await each.hook('health-action');
    const pid = await etcdPid(well);

    await whileSystemdStands(well, async () => {
      const { code, stdout } = await well.hook('health-action');
      assert.is(code, 0, stdout);
      assert.match(stdout, /is healthy.*Nothing is done/);
      assert.is((await well.hook('health-check')).code, 0);
    });
    assert.is(await etcdPid(well), pid, 'etcd runs on');

    // The app's restart has come as far as its stop, which systemd does not take; then as far as its start.
    for (const stopped of [false, true]) {
      if (stopped) await well.sh('systemctl stop etcd');
      let restart: Promise<unknown> | undefined;
      await whileSystemdStands(well, async () => {
        if (stopped && restart === undefined) {
          const { stdout } = await well.hook('health-action');
          assert.match(stdout, /Whether its process lives is not known, so nothing is done/);
        }
        restart ??= well.run(CTL, 'restart');
        const { stdout } = await well.hook('health-action');
        assert.not.match(stdout, /Restarted|Killed|under way/);
        assert.match(stdout, /[Nn]othing is done/);
      });
      assert.match(JSON.stringify(await restart), /"code":0/, 'the restart ends by itself');
      await until('it is healthy', async () => (await well.hook('health-check')).code === 0);
    }
    assert.equal((await well.cliJson('history')).heals, []);

    // TLS, and the volume of the first node lost, certificates and all.
    for (const each of machines) {
      const dir = join(each.dataDisk, 'ssl/etcd');
      mkdirSync(dir, { recursive: true });
      for (const name of NAMES) writeFileSync(join(dir, `${name}.pem`), `${name} of ${each.name}\n`);
      await each.sh('sed -i s/^ETCD_ENABLE_TLS=.*/ETCD_ENABLE_TLS=true/ /opt/app/bin/.env');
    }
    const ids = await idsOf(stage);
    const theirs = [well, other].map(certificates);
    await first.powerOff();
    first.freshDataDisk();
    await first.powerOn();
    for (const hook of ['health-action', 'start', 'health-action'] as const) {
      const { code, stdout } = await first.hook(hook);
      assert.is(code, 3, stdout);
      assert.match(stdout, /its certificates are gone.*run neither start nor restart/);
    }
    const { reason } = await first.cliJson('diagnose');
    assert.is(reason, 'local-fault/certificates-missing');
    assert.is((await first.run('ls', '/root/made-new-ca')).code, 2, "the app's start was not run");
    assert.equal([well, other].map(certificates), theirs, 'the certificates of the others are untouched');
    assert.equal((await first.cliJson('history')).heals, []);

    // A person copies them, as the advice says.
    cpSync(join(well.dataDisk, 'ssl'), join(first.dataDisk, 'ssl'), { recursive: true });
    await first.sh('chown -R etcd:etcd /var/lib/etcd/ssl');
    // None of these etcds has ever spoken TLS: a heal would wait for the others to go by the view.
    for (const each of machines)
      await each.sh('sed -i s/^ETCD_ENABLE_TLS=.*/ETCD_ENABLE_TLS=false/ /opt/app/bin/.env');
    // What the gate has asked for may come first, and the heal may outlast the action.
    await until('the action heals', async () =>
      /Healed in|The heal is under way|is healthy/.test((await first.hook('health-action')).stdout),
    );
    await healed(first);
    assert.is.not((await idsOf(stage)).get(first.name), ids.get(first.name));
    rmSync(join(first.dataDisk, 'ssl'), { recursive: true });
  },
);
