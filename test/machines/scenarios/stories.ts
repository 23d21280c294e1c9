import * as assert from 'uvu/assert';
import type { BedOptions } from '../bed/bed.ts';
import { type Breakage, breakMember } from '../bed/breakage.ts';
import type { Client } from '../bed/client.ts';
import { healed, type Stage, scenario } from '../bed/scenario.ts';
import { hashes, idOf, keysOn, memberList, originals, traces, unitState } from '../bed/world.ts';

type Machines = Pick<Stage, 'bed' | 'machines' | 'machine'>;

/** After a heal: one new ID under the old name, everything else as it was, nothing left behind, data equal. */
export async function expectHealed(
  { bed, machines, machine }: Machines,
  sid: number,
  before: { ids: ReadonlyMap<string, string>; originals: string },
): Promise<void> {
  const bad = machine(sid);
  const witness = machines.find((other) => other !== bad) ?? bad;
  const list = await memberList(bed, witness);
  assert.is(list.length, machines.length, 'as many members as before');
  assert.ok(
    list.every(({ started }) => started),
    'all members started',
  );
  for (const { name, id } of list) {
    if (name === bad.name) assert.is.not(id, before.ids.get(name), `${name} has a new ID`);
    else assert.is(id, before.ids.get(name), `${name} keeps its ID`);
  }
  assert.is(await originals(bad), before.originals, 'unit and environment are the originals, byte for byte');
  assert.is(await traces(bad), '', 'nothing of the swap is left');
  assert.is(await unitState(bad), 'active');
  assert.is((await bad.hook('health-check')).code, 0);
  assert.is(new Set(await hashes(bed, machines)).size, 1, 'the data are equal on all members');
}

/** The list of members, as the first that answers has it. */
export const anyMemberList = ({ bed, machines }: Machines): ReturnType<typeof memberList> =>
  Promise.any(machines.map((machine) => memberList(bed, machine)));

/** The members' IDs by their names, as one that serves lists them. */
export async function idsOf(stage: Machines): Promise<Map<string, string>> {
  const list = await anyMemberList(stage);
  const names = stage.machines.map(({ name }) => name);
  return new Map(list.filter(({ name }) => names.includes(name)).map(({ name, id }) => [name, id]));
}

/** Every write that a client was told is done stands on every one of these machines, as each has it itself. */
export async function expectAllWrites(
  bed: Stage['bed'],
  machines: Stage['machines'],
  { acknowledged }: Pick<Client, 'acknowledged'>,
): Promise<void> {
  assert.ok(acknowledged.length > 0, 'there were writes');
  for (const each of machines) {
    const keys = await keysOn(bed, each, 'w/');
    const lost = acknowledged.filter((key) => !keys.has(key));
    assert.equal(lost, [], `every acknowledged write is on ${each.name}`);
  }
}

/**
 * The main story: a client writes, one machine loses power, comes back broken, AppCenter calls the hooks, and
 * nobody touches anything.
 */
export function staleMemberHeals(
  title: string,
  how: Breakage,
  options: BedOptions & { readonly sid?: number; readonly reason: string },
): void {
  scenario(title, options, async (stage) => {
    const { bed, machines, machine, appCenter, client } = stage;
    const sid = options.sid ?? 2;
    const bad = machine(sid);
    const witness = machine(sid === 1 ? 2 : 1);
    const writer = client();
    await writer.writes(50);
    const before = { ids: await idsOf(stage), originals: await originals(bad) };

    await bad.powerOff();
    await breakMember(bed, bad, how);
    await writer.writes(50);
    await bad.powerOn();
    const platform = appCenter();
    await healed(bad);
    await writer.writes(50);
    await platform.stop();
    await writer.stop();

    await expectHealed(stage, sid, before);
    await expectAllWrites(bed, machines, writer);
    for (const other of machines.filter((each) => each !== bad)) {
      assert.equal(platform.actionsOn(other), [], `AppCenter had nothing to do on ${other.name}`);
    }
    const { stdout } = await bad.cli('history', '--json');
    const [heal, ...more] = JSON.parse(stdout).heals;
    assert.is(more.length, 0, 'one heal');
    assert.is(heal.reason, options.reason);
    assert.is(heal.oldMemberId, how === 'removed' ? '' : before.ids.get(bad.name));
    assert.is(heal.newMemberId, await idOf(bed, witness, bad));
    const aside = await bad.sh('ls /var/lib/etcd/heal-node/aside 2>/dev/null; true');
    const hasData = how !== 'data-gone' && how !== 'member-gone';
    assert.is(aside.includes(heal.id), hasData, 'the old data, where there were any, are kept aside');
  });
}
