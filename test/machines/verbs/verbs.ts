import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { HOOKS, type Ran, type TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { hostNames } from '../bed/tls.ts';
import { memberList, unitState } from '../bed/world.ts';
import type { Call, Ground, Scene, Verb } from './row.ts';

/** AppCenter gives most of them a day; none of them may take as long as this. */
const LIMIT_MS = 600_000;
const CTL = '/opt/app/bin/ctl.sh';
const SPARE = 4;
const ACTIONS_WHILE_STOPPED = 2;

const nodeList = (nodes: readonly TestMachine[]): string =>
  nodes.map(({ sid, ip }) => `${sid}=${ip}`).join(' ');

const call = async (on: TestMachine, ran: Promise<Ran>): Promise<Call> => ({ on, ran: await ran });
const verb = (on: TestMachine, ...words: readonly string[]): Promise<Call> =>
  call(on, on.runFor(LIMIT_MS, CTL, ...words));
const hook = (on: TestMachine, name: 'start' | 'stop'): Promise<Call> =>
  call(on, on.runFor(LIMIT_MS, `${HOOKS}/${name}`));
const onAll = (
  nodes: readonly TestMachine[],
  calls: (each: TestMachine) => Promise<Call>,
): Promise<readonly Call[]> => Promise.all(nodes.map(calls));
/** The metadata change, and confd calls the app's `update` on all nodes at once. */
const metadata = (
  nodes: readonly TestMachine[],
  changes: Readonly<Record<string, string>>,
): Promise<readonly Call[]> => onAll(nodes, (each) => call(each, each.confd(changes)));

/** A part of a verb without which the rest would tell nothing. */
async function must(calls: Promise<readonly Call[]>): Promise<void> {
  for (const { on, ran } of await calls)
    assert.is(ran.code, 0, `${on.name}: ${ran.stdout.slice(-500)} ${ran.stderr.slice(-500)}`);
}

export const start: Verb = { name: 'start (hook)', call: async ({ bad }) => [await hook(bad, 'start')] };

/** Nothing of etcd runs there, whatever AppCenter calls, and the list stays as it is. */
async function staysStopped({ bed, bad, others, platform }: Scene): Promise<void> {
  const witness = others[0] as TestMachine;
  const list = await memberList(bed, witness);
  const had = platform.actionsOn(bad).length;
  const isDown = async (): Promise<void> => {
    for (const unit of ['etcd', 'etcd1', 'heal-node'])
      assert.match(await unitState(bad, unit), /^(inactive|failed)$/, `${unit} after the stop`);
  };
  await isDown();
  await until(
    'AppCenter has called actions on the stopped node',
    async () => platform.actionsOn(bad).length >= had + ACTIONS_WHILE_STOPPED,
    240_000,
  );
  await isDown();
  assert.equal(await memberList(bed, witness), list, 'the member list, as long as it is stopped');
}

export const stopAndStart: Verb = {
  name: 'stop, and later start (hooks)',
  call: async (scene) => {
    const stopped = await hook(scene.bad, 'stop');
    await staysStopped(scene);
    return [stopped, await hook(scene.bad, 'start')];
  },
};

export const stopAndStartAll: Verb = {
  name: 'stop and start of the cluster (hooks)',
  call: async ({ nodes }) => [
    ...(await onAll(nodes, (each) => hook(each, 'stop'))),
    ...(await onAll(nodes, (each) => hook(each, 'start'))),
  ],
};

export const restart: Verb = { name: 'restart', call: async ({ bad }) => [await verb(bad, 'restart')] };

let quota = 2147483648;
export const update: Verb = {
  name: 'update (etcd.quota changes)',
  call: ({ nodes }) => metadata(nodes, { ETCD_QUOTA_BYTES: `${++quota}` }),
  lost: async ({ nodes }) => {
    const has = `grep -q BYTES=${quota} /opt/app/conf/etcd.env`;
    const found = await Promise.all(nodes.map(async (each) => (await each.run('sh', '-c', has)).code === 0));
    const without = nodes.filter((_, n) => !found[n]).map(({ name }) => name);
    return without.length === 0 ? '' : `${without.join(', ')} keeps its old settings until its next start`;
  },
};

export const backup: Verb = {
  name: 'backup on another node',
  call: async ({ others }) => [await verb(others[0] as TestMachine, 'backup')],
};

export const backupHere: Verb = {
  name: 'backup on that node',
  call: async ({ bad }) => [await verb(bad, 'backup')],
};

export const compact: Verb = { name: 'compact', call: async ({ bad }) => [await verb(bad, 'compact')] };

/** From a backup of the volume of one node, which comes to all of them; and with it what heal-node keeps there. */
export const restore: Verb = {
  name: 'restore',
  rebuilds: true,
  call: async ({ nodes, others, quiet }) => {
    await quiet();
    const from = others[0] as TestMachine;
    const first = await verb(from, 'backup');
    await must(onAll(nodes, (each) => hook(each, 'stop')));
    for (const each of nodes.filter((node) => node !== from))
      for (const name of ['default.etcd', 'heal-node', 'v3.backup']) {
        rmSync(join(each.dataDisk, name), { recursive: true, force: true });
        if (existsSync(join(from.dataDisk, name)))
          cpSync(join(from.dataDisk, name), join(each.dataDisk, name), { recursive: true });
      }
    const restored = await onAll(nodes, (each) => verb(each, 'restore'));
    return [first, ...restored, ...(await onAll(nodes, (each) => hook(each, 'start')))];
  },
};

export const repair: Verb = {
  name: 'repair',
  rebuilds: true,
  call: async ({ nodes, others, quiet }) => {
    await quiet();
    const source = JSON.stringify({ 'node.ip': others.at(-1)?.ip });
    return onAll(nodes, (each) => verb(each, 'repair', source));
  },
};

export const repairMinorityNode: Verb = {
  name: 'repairMinorityNode',
  call: ({ nodes, bad, others }) => {
    const which = JSON.stringify({ 'healthnode.ip': others[0]?.ip, 'unhealthnode.ip': bad.ip });
    return onAll(nodes, (each) => verb(each, 'repairMinorityNode', which));
  },
};

async function addSpare(ground: Ground): Promise<Call> {
  const spare = ground.bed.machine(SPARE);
  const all = [...ground.nodes, spare];
  await metadata(all, { ADDED_NODES: nodeList([spare]), ALL_NODES: nodeList(all) });
  await metadata([spare], { IS_ADDED: 'true' });
  const joined = await hook(spare, 'start');
  const stable = joined.ran.code === 0 ? all : ground.nodes;
  await metadata(all, {
    STABLE_NODES: nodeList(stable),
    ALL_NODES: nodeList(stable),
    ADDED_NODES: '',
    IS_ADDED: 'false',
  });
  ground.nodes = stable;
  return joined;
}

/** The platform takes a node away that was scaled in. */
async function discard(spare: TestMachine): Promise<void> {
  await spare.powerOff();
  spare.freshDataDisk();
  spare.resetRootDisk();
  await spare.powerOn();
}

async function removeSpare(ground: Ground): Promise<Call> {
  const spare = ground.bed.machine(SPARE);
  const left = ground.nodes.filter((each) => each !== spare);
  await metadata([spare], { IS_DELETED: 'true' });
  await metadata(ground.nodes, { DELETED_NODES: nodeList([spare]) });
  const destroyed = await verb(spare, 'destroy');
  const stable = destroyed.ran.code === 0 ? left : ground.nodes;
  await metadata(left, { STABLE_NODES: nodeList(stable), ALL_NODES: nodeList(stable), DELETED_NODES: '' });
  if (destroyed.ran.code === 0) await discard(spare);
  ground.nodes = stable;
  return destroyed;
}

const hasSpare = ({ nodes }: Ground): boolean => nodes.some(({ sid }) => sid === SPARE);
const isHealthy = async (machine: TestMachine): Promise<boolean> =>
  (await machine.runFor(LIMIT_MS, `${HOOKS}/health-check`)).code === 0;

export const scaleOut: Verb = {
  name: 'scale out, from 3 to 4',
  before: async (ground) => {
    if (hasSpare(ground)) await must(Promise.all([removeSpare(ground)]));
  },
  call: async ({ ground }) => [await addSpare(ground)],
};

export const scaleIn: Verb = {
  name: 'scale in, from 4 to 3',
  before: async (ground) => {
    if (!hasSpare(ground)) await must(Promise.all([addSpare(ground)]));
    await until('the added node is healthy', () => isHealthy(ground.bed.machine(SPARE)));
  },
  call: async ({ ground }) => [await removeSpare(ground)],
};

/** The cluster is stopped, every root disk is the new image's, and the app is started and upgraded. */
export const upgrade: Verb = {
  name: 'upgrade (root disks put back)',
  call: async ({ nodes, quiet }) => {
    await quiet();
    const stopped = await onAll(nodes, (each) => hook(each, 'stop'));
    const views = await Promise.all(nodes.map((each) => each.sh('cat /opt/app/bin/.env')));
    for (const each of nodes) {
      await each.powerOff();
      each.resetRootDisk();
    }
    await Promise.all(nodes.map((each) => each.powerOn()));
    // confd renders before AppCenter calls anything.
    await Promise.all(nodes.map((each, n) => each.sh(`cat >/opt/app/bin/.env <<'VIEW'\n${views[n]}\nVIEW`)));
    const started = await onAll(nodes, (each) => hook(each, 'start'));
    return [...stopped, ...started, ...(await onAll(nodes, (each) => verb(each, 'upgrade')))];
  },
};

/** TLS is switched, or the names are changed, by confd on all nodes at once. */
async function change(
  { bed, nodes }: Pick<Ground, 'bed' | 'nodes'>,
  changes: Readonly<Record<string, string>>,
): Promise<readonly Call[]> {
  const calls = await metadata(nodes, changes);
  bed.speakTls((changes.ETCD_ENABLE_TLS ?? 'true') === 'true');
  return calls;
}

/** @param tls whether TLS must be on before */
const names = (name: string, tls: boolean, changes: () => Readonly<Record<string, string>>): Verb => ({
  name,
  before: async (ground) => {
    if (ground.bed.machine(1).tls !== tls) await must(change(ground, { ETCD_ENABLE_TLS: `${tls}` }));
    for (const each of ground.nodes) await until(`${each.name} is healthy`, () => isHealthy(each));
  },
  call: async (scene) => {
    await scene.quiet();
    return change({ bed: scene.bed, nodes: [...scene.nodes] }, changes());
  },
});

let domain = 0;
export const openTls: Verb = names('update (TLS on)', false, () => ({ ETCD_ENABLE_TLS: 'true' }));
export const closeTls: Verb = names('update (TLS off)', true, () => ({ ETCD_ENABLE_TLS: 'false' }));
export const otherDomain: Verb = names('update (another domain)', true, () => {
  const dns = `.cl-other${++domain}.etcd`;
  return { ETCD_CLUSTER_DNS: dns, HOSTS_DOMAIN_NAME: hostNames(3, dns) };
});
