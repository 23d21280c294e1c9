/** Tells one row on a cluster that stands: what is under way, the verb, how it ends, and what the cluster is after it. */
import * as assert from 'uvu/assert';
import { AppCenter } from '../bed/appcenter.ts';
import { goStale } from '../bed/breakage.ts';
import type { Client } from '../bed/client.ts';
import type { TestMachine } from '../bed/machine.ts';
import { sleep, until } from '../bed/sh.ts';
import { hashes, memberList, pastHeals, serves, traces, unitState } from '../bed/world.ts';
import { expectAllWrites, idsOf } from '../scenarios/stories.ts';
import type { Call, Ground, Refusal, Row, Scene } from './row.ts';

export interface Told {
  /** How the verb ended. */
  readonly ended: string;
  readonly verbMs: number;
  /** What became of the members. */
  readonly outcome: string;
  /** From the moment in which the verb was called, until all were whole. */
  readonly wholeMs: number;
}

const WRITES = 20;
/** How long a held heal stands still after the verb has begun, where the verb has not ended before. */
const HELD_MS = 3000;
const WHOLE_MS = 150_000;
/** What the app keeps on the data disk. */
const SSL = '/var/lib/etcd/ssl';
const APPS = [
  '/var/lib/etcd/lost+found',
  SSL,
  `${SSL}/etcd`,
  // Beside them, where a node's unit was aside, those of a new authority, until the app's next update.
  `${SSL}/etcdtemp`,
  ...['ca', 'ca-key', 'client', 'client-key', 'peer', 'peer-key', 'server', 'server-key'].flatMap((name) => [
    `${SSL}/etcd/${name}.pem`,
    `${SSL}/etcdtemp/${name}.pem`,
  ]),
];

type Ids = ReadonlyMap<string, string>;
const ids = ({ bed, nodes }: Pick<Ground, 'bed' | 'nodes'>): Promise<Ids> =>
  idsOf({ bed, machines: nodes, machine: (sid) => bed.machine(sid) });

/** What is not as it must be; empty when all serve on their originals, each listed once, with the same data. */
async function notWhole({ bed, nodes }: Ground): Promise<string> {
  for (const each of nodes) {
    const { code, stdout } = await each.hook('health-check');
    if (code !== 0) return `${each.name}: ${stdout.slice(0, 400)}`;
    const left = await traces(each, ...APPS);
    if (left !== '') return `${each.name} has ${left.replaceAll('\n', ', ')}`;
    const unit = await unitState(each);
    if (unit !== 'active') return `etcd.service on ${each.name} is ${unit}`;
    if (!(await serves(bed, each))) return `${each.name} serves no linearizable read`;
  }
  const list = await memberList(bed, nodes[0] as TestMachine).catch(() => []);
  const names = list.filter(({ started }) => started).map(({ name }) => name);
  if (list.length !== nodes.length || names.sort().join() !== nodes.map(({ name }) => name).join())
    return `the list is ${list.map(({ id, name }) => `${id} ${name || 'not started'}`).join(', ')}`;
  const data = await hashes(bed, nodes).catch((error: Error) => [error.message]);
  return data.length === nodes.length && new Set(data).size === 1 ? '' : `data differ: ${data.join(', ')}`;
}

async function untilWhole(ground: Ground): Promise<void> {
  let not = '';
  const isWhole = async (): Promise<boolean> => {
    not = await notWhole(ground);
    return not === '';
  };
  await until('all are whole', isWhole, WHOLE_MS, 500).catch((error: Error) => {
    throw new Error(`${error.message}; last: ${not}`);
  });
}

const say = ({ on, ran }: Call): string =>
  `${on.name}: exit ${ran.code} after ${ran.tookMs} ms: ${ran.stdout.slice(-600)} ${ran.stderr.slice(-600)}`;

/** Each call has ended in time, and succeeded; or, on the nodes that are named, was refused in the app's own way. */
function judge(calls: readonly Call[], { bad, ground }: Scene, refused: Refusal | undefined): string {
  const isRefused = ({ on, ran }: Call): boolean =>
    refused?.codes.includes(ran.code ?? -1) === true &&
    (refused.on === 'all' || on === (refused.on === 'bad' ? bad : ground.bed.machines.at(-1)));
  for (const each of calls) {
    assert.not(each.ran.overdue, `it never ends: ${say(each)}`);
    assert.ok(each.ran.code === 0 || isRefused(each), `it fails: ${say(each)}`);
  }
  const failed = calls.filter(({ ran }) => ran.code !== 0);
  if (refused !== undefined && !refused.orNot)
    assert.ok(failed.length > 0, 'it was to be refused, and succeeds');
  const on = [...new Set(failed.map((each) => `${each.on.name} (exit ${each.ran.code})`))].sort();
  return failed.length === 0 ? 'succeeds' : `refused on ${on.join(', ')}: ${refused?.why}`;
}

/** Brings about what is under way. Returns what lets a held heal go on. */
async function arrange({ state }: Row, bad: TestMachine): Promise<(() => Promise<void>) | undefined> {
  if (state.is === 'nothing') return undefined;
  if (state.is === 'held') await bad.sh(`echo ${state.before} >/run/hold`);
  await goStale(bad, 'wal-damaged');
  if (state.is === 'stale') return undefined;
  const action = bad.runFor(WHOLE_MS, '/opt/heal-node/bin/health-action');
  const held = async () => (await bad.run('cat', '/run/held')).stdout.trim() === state.before;
  await until(`the heal is held before ${state.before}`, held, 90_000, 100);
  return async () => {
    if (bad.isOn) await bad.run('rm', '-f', '/run/hold');
    await action;
  };
}

export async function tellRow(row: Row, ground: Ground): Promise<Told> {
  const { verb, state } = row;
  const { bed } = ground;
  const bad = bed.machine(row.on);
  await verb.before?.(ground);
  const nodes = [...ground.nodes];
  const others = nodes.filter((each) => each !== bad);
  const clients: Client[] = [];
  const write = async (): Promise<void> => {
    const client = bed.client({ to: ground.nodes, prefix: `w/${Date.now()}/` });
    clients.push(client);
    await client.writes(WRITES);
  };
  const quiet = async (): Promise<void> => {
    for (const client of clients) await client.stop();
    await until('all that serve have all', async () => new Set(await hashes(bed, others)).size === 1);
  };
  const ends: (() => Promise<unknown>)[] = [async () => Promise.all(clients.map((each) => each.stop()))];
  try {
    await write();
    const before = await ids(ground);
    const past = new Set(pastHeals(bad).map(({ id }) => id));
    const release = await arrange(row, bad);
    const platform = new AppCenter(nodes, { speedup: 60 });
    ends.push(() => platform.stop());
    const scene: Scene = { ground, bed, nodes, bad, others, platform, quiet };
    const beganMs = Date.now();
    const calling = verb.call(scene);
    if (release !== undefined) {
      ends.push(release);
      await Promise.race([calling, sleep(HELD_MS)]).catch(() => undefined);
      const released = release();
      ends.push(() => released);
    }
    const calls = await calling;
    const verbMs = Date.now() - beganMs;
    let ended = judge(calls, scene, row.refused);
    await untilWhole(ground);
    const wholeMs = Date.now() - beganMs;
    if (row.refused !== undefined && calls.some(({ ran }) => ran.code !== 0)) {
      judge(await verb.call(scene), scene, undefined);
      ended += '; called again it succeeds';
      await untilWhole(ground);
    }
    const lost = (await verb.lost?.(scene)) ?? '';
    assert.is(lost, '', 'what the verb was to do');
    await write();
    for (const end of ends.splice(0).reverse()) await end();
    const killed = platform.overdue().map(({ machine, kind }) => `${kind} on ${machine.name}`);
    assert.equal(killed, [], 'AppCenter had to kill no hook');
    const acknowledged = clients.flatMap((each) => each.acknowledged);
    await expectAllWrites(bed, ground.nodes, { acknowledged });
    const after = await ids(ground);
    const stayed = nodes.filter((each) => ground.nodes.includes(each));
    const changed = stayed.filter(({ name }) => after.get(name) !== before.get(name)).map(({ name }) => name);
    const replaced = state.is === 'nothing' ? [] : [bad.name];
    if (!verb.rebuilds) assert.equal(changed, replaced, 'members with a new ID');
    for (const each of ground.nodes)
      assert.is((await each.cliJson('status')).birthmarkMismatch, null, `the birthmark on ${each.name}`);
    const healed = pastHeals(bad).some(({ id, outcome }) => outcome === 'healed' && !past.has(id));
    if (state.is === 'nothing') assert.not(healed, 'nothing was there to heal');
    const outcome = [
      healed && `${bad.name} is healed`,
      !healed && state.is !== 'nothing' && !verb.rebuilds && `${bad.name} is replaced by the app`,
      verb.rebuilds && 'all are made anew by the app',
    ].filter(Boolean);
    return { ended, verbMs, outcome: outcome.join('; ') || 'all as before', wholeMs };
  } finally {
    for (const end of ends.reverse()) await end().catch(() => undefined);
  }
}
