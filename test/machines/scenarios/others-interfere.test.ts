import * as assert from 'uvu/assert';
import { tailOf } from '../../../src/report/read-log.ts';
import { breakDisk } from '../bed/breakage.ts';
import { healed, scenario } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { originals } from '../bed/world.ts';
import { expectAllWrites, expectHealed, idsOf } from './stories.ts';

const TURN_KEY = 'heal-node/joiner';
const QUOTA = 2147483648;

scenario(
  'operators, a second healer and confd do what they do in the middle of a heal',
  {},
  async (stage) => {
    const { bed, machine, machines, client, appCenter } = stage;
    const bad = machine(2);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };
    const writer = client();
    await writer.writes(20);
    // A second healer has its turn: the new member of another node is joining.
    await bed.etcdctl([machine(1).endpoint], 'put', TURN_KEY, 'etcd3');
    await bad.powerOff();
    await breakDisk(bad, 'data-gone');
    const etcdctl = (...words: string[]) =>
      bed
        .etcdctl([machine(1).endpoint, machine(3).endpoint], ...words)
        .catch((error: Error) => error.message);
    const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
    await bad.powerOn(false);

    const log: string[] = [];
    const logged = (pattern: RegExp) =>
      until(`the log says ${pattern}`, async () => {
        log.push(...tail());
        return log.some((line) => pattern.test(line));
      });
    let going = true;
    const rounds: number[] = [];
    /** Again and again, and twice as long nothing as it took: between two of them the heal must find the app quiet. */
    const again = async (who: number, what: (round: number) => Promise<unknown>): Promise<void> => {
      for (rounds[who] = 0; going; rounds[who]++) {
        const beganMs = Date.now();
        await what(rounds[who]);
        await sleep(Math.max(300, 2 * (Date.now() - beganMs)));
      }
    };
    const quota = (bytes: number) =>
      bad.confd({
        CHANGED_VARS: `ETCD_QUOTA_BYTES=${QUOTA} ETCD_QUOTA_BYTES=${bytes}`,
        ETCD_QUOTA_BYTES: `${bytes}`,
      });
    const verb = (name: string) => bad.run('/opt/app/bin/ctl.sh', name);
    const meanwhile = [
      again(0, (round) => Promise.all([verb('restart'), verb('start'), quota(QUOTA + round)])),
      // It waits for the end of the heal: its rounds are not counted.
      again(1, async () =>
        assert.is.not((await bad.cli('heal', '--yes')).code, 2, 'the command is understood'),
      ),
    ];
    const platform = appCenter();
    try {
      // A person does step 2 of the runbook for the same member: removes it, and adds it again before the healer does.
      // Removed before the heal has begun it would be left to the person.
      await logged(/"event":"step-begins".*"step":"fence"/);
      await etcdctl('member', 'remove', before.ids.get(bad.name) ?? '');
      await logged(/"event":"waits-for-turn".*etcd3/);
      // Right after a start or a removal etcd may refuse it for some seconds.
      await until('the person has added it', async () =>
        /Member\s+[0-9a-f]+ added|Peer URLs already exists/.test(
          await etcdctl('member', 'add', bad.name, `--peer-urls=http://${bad.ip}:2380`),
        ),
      );
      const atTurn = rounds[0] ?? 0;
      await until('all have interfered', async () => (rounds[0] ?? 0) >= atTurn + 2);
      await etcdctl('del', TURN_KEY);
      await healed(bad);
    } finally {
      going = false;
    }
    await Promise.all(meanwhile);
    await platform.stop();
    await writer.writes(20);
    await writer.stop();

    log.push(...tail());
    assert.equal(
      log.filter((line) => JSON.parse(line).event === 'failed'),
      [],
      'no run of the heal failed for what others did',
    );
    // The last change of the metadata takes the settings back, and the app writes the environment as it was.
    const last = await quota(QUOTA);
    assert.is(last.code, 0, last.stderr);
    await expectHealed(stage, bad.sid, before);
    await expectAllWrites(bed, machines, writer);
  },
);
