import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { endedHealed, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, idOf, pastHeals } from '../bed/world.ts';

const CTL = '/opt/app/bin/ctl.sh';

scenario(
  'by the shim ctl.sh is heal-node, calls the app’s own, and both are taken back',
  { created: false },
  async ({ bed, machine, machines }) => {
    const bad = machine(2);
    const original = await bad.sh(`md5sum <${CTL}`);
    await bad.sh(`mkdir -p /etc/cron.d; echo '@daily root bash ${CTL} compact' >/etc/cron.d/compact`);
    const laid = await Promise.all(
      machines.map((each) => each.sh('/opt/heal-node/bin/heal-node install --shim')),
    );
    assert.match(laid[1] ?? '', /leave out `bash` or `sh` in:\n\/etc\/cron\.d\/compact$/m);
    assert.not.match(laid[0] ?? '', /leave out/);
    const byShell = await bad.run('bash', CTL, 'check');
    assert.is(byShell.code, 126);
    assert.match(byShell.stderr, /cannot execute binary file/);
    assert.match(await bad.sh('/usr/local/bin/heal-node install --shim'), /Everything was in place already/);
    assert.is(await bad.sh(`readlink ${CTL}`), '/opt/heal-node/bin/heal-node');
    assert.is(await bad.sh(`md5sum <${CTL}.app`), original);

    // The four verbs are the hooks; all others, and what heal-node itself calls, are the app's.
    const ctl = (...words: string[]) => bad.run(CTL, ...words);
    const started = await Promise.all(machines.map((each) => each.run(CTL, 'start')));
    assert.equal(
      started.map(({ code }) => code),
      [0, 0, 0],
      JSON.stringify(started),
    );
    await until('it serves', async () => (await ctl('check')).code === 0);
    assert.is((await ctl('compact')).code, 0);
    const unknown = await ctl('no-such-verb');
    assert.equal([unknown.code, unknown.stderr], [64, 'unknown verb: no-such-verb']);
    assert.is((await ctl('stop')).code, 0);
    assert.match((await ctl('check')).stdout, /^Not healthy: /);
    assert.match((await ctl('restart')).stdout, /The app was stopped/);
    assert.is((await ctl('start')).code, 0);
    await bad.sh('systemctl kill --signal=SIGKILL etcd; systemctl stop etcd');
    assert.match(
      (await ctl('restart')).stdout,
      // Which of the two it is called depends on which systemd hears of first.
      /is (stopped|unknown) .*Restarted with `\/opt\/app\/bin\/ctl\.sh restart`/,
    );

    // As AppCenter calls it, a stale member heals.
    const id = await idOf(bed, machine(1), bad);
    await goStale(bad, 'wal-damaged');
    await etcdFailed(bad);
    await endedHealed(bad, await ctl('restart'));
    assert.is.not(await idOf(bed, machine(1), bad), id);
    // Off, and on a proxy, it is the app's own.
    assert.is((await bad.run('env', 'HEAL_MODE=off', CTL, 'check')).code, 0);

    // An upgrade of the app puts a new script there: doctor says so, and install does it again.
    await bad.sh(`rm ${CTL}; cp ${CTL}.app ${CTL}; echo '# newer' >>${CTL}`);
    assert.match(
      (await bad.cli('doctor')).stdout,
      /FIX {2}installed: \/opt\/app\/bin\/ctl\.sh missing or changed/,
    );
    await bad.sh('/usr/local/bin/heal-node install --shim');
    assert.match(
      await bad.sh(`tail -1 ${CTL}.app; ls -l ${CTL}`),
      /^# newer\n.* -> \/opt\/heal-node\/bin\/heal-node/,
    );

    // Taken back: not in the middle of a heal, and then whole, but for what is a person's and the history.
    await bad.sh(
      'cd /var/lib/etcd/heal-node; cp history/*.json journal.json; echo HEAL_MAX_PER_DAY=4 >>/opt/app/conf/heal-node.env',
    );
    const refused = await bad.cli('uninstall');
    assert.is(refused.code, 3);
    assert.match(refused.stdout, /^A heal is not finished: /);
    await bad.sh('rm /var/lib/etcd/heal-node/journal.json');
    const pid = () => bad.sh('systemctl show etcd -p MainPID');
    const before = await pid();
    const gone = await bad.cli('uninstall');
    assert.is(gone.code, 0, gone.stderr);
    assert.match(gone.stdout, /removed \/opt\/heal-node\/bin\/heal-node\n/);
    assert.match(await bad.sh(`tail -1 ${CTL}; test ! -e ${CTL}.app`), /^# newer/);
    const left = await bad.sh(
      'find /etc /opt /usr /var/lib/heal-node -name "*heal-node*"; systemctl cat etcd | grep -c gate; true',
    );
    assert.is(left, '/opt/app/conf/heal-node.env\n/var/lib/heal-node\n0');
    assert.is(pastHeals(bad).length, 1);
    assert.is(await pid(), before, 'etcd runs on');
    assert.is((await ctl('restart')).code, 0);
    await until('it serves', async () => (await ctl('check')).code === 0);
  },
);
