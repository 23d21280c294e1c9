import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { scenario } from '../bed/scenario.ts';
import { etcdFailed, memberList, originals } from '../bed/world.ts';
import { expectHealed, idsOf } from './stories.ts';

scenario(
  'what plan --manual prints heals when it is pasted into a shell, and stops where something fails',
  {},
  async (stage) => {
    const { bed, machine } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    assert.is((await bad.cli('plan', '--manual')).stdout, '# There is nothing to heal.');
    await goStale(bad, 'wal-damaged');
    await etcdFailed(bad);

    /** Pastes it into a shell on a terminal, as a person does: what comes after a failure is another command. */
    const paste = async (text: string) => {
      await bad.sh(`cat >/root/pasted <<'END OF IT'\n${text}\necho "the shell goes on"\nexit\nEND OF IT`);
      return (await bad.sh('script -qec "bash --norc -i" /dev/null </root/pasted')).replaceAll('\r', '');
    };
    const manual = async () => {
      const { code, stdout, stderr } = await bad.cli('plan', '--manual');
      assert.is(code, 0, stderr);
      return stdout;
    };
    const printed = await manual();
    assert.match(printed, new RegExp(`^oldId='${before.ids.get('etcd2')}'$`, 'm'));

    // The list is not what it was when it was printed: it stops there, and the shell that it was pasted into goes on.
    const stopped = await paste(printed.replace(/^oldId=.*$/m, "oldId='dead'"));
    assert.match(stopped, /Stopped: dead is not the ID that is listed with http:/);
    assert.match(stopped, /the shell goes on/);
    assert.not.match(stopped, /^== add/m);
    assert.equal(await idsOf(stage), before.ids);

    // What is left is printed anew, and goes on from there.
    const rest = await manual();
    assert.not.match(rest, /== (fence|set-aside|stage) /);
    const done = await paste(rest);
    assert.match(done, /^Done\. What was set aside stays in/m, done);
    assert.is((await memberList(bed, machine(1))).length, 3);
    await bad.sh('rm -rf /var/lib/etcd/default.etcd.by-hand-* /root/pasted');
    await expectHealed(stage, 2, before);
  },
);
