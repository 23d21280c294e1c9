import { hostname } from 'node:os';
import type { Cluster } from '../cluster/cluster.ts';
import { asWord, PAUSE_KEY } from '../cluster/pause-key.ts';
import { openLog } from '../report/log.ts';
import { duration } from '../settings/settings-table.ts';
import { pauseNode } from '../state/pause.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { type Looked, look } from './look.ts';

/** The cluster, by those that serve, this member too. @throws when nobody does */
function reach({ world, situation: { config, cluster, servesAsOwn } }: Looked): [Cluster, string[]] {
  const own = servesAsOwn && config ? [config.clientUrl] : [];
  const endpoints = [...own, ...cluster.serving.map(({ endpoint }) => endpoint)];
  if (endpoints.length === 0) throw new Error('no member serves, so nothing can be changed in the cluster');
  return [world.cluster(config?.tls), endpoints];
}

/** Takes the cluster's pause away. @returns whether there was one @throws when it cannot */
async function unpauseCluster(cluster: Cluster, endpoints: readonly string[]): Promise<boolean> {
  const there = await cluster.get(endpoints, PAUSE_KEY);
  if (there?.lease === '') throw new Error(`${PAUSE_KEY} has no lease; run \`etcdctl del ${PAUSE_KEY}\``);
  if (there) await cluster.revokeLease(endpoints, there.lease);
  return there !== undefined;
}

/** Puts a pause into the cluster in place of one that is there; it goes with its lease. @throws when it cannot */
async function pauseCluster(looked: Looked, text: string, forMs: number): Promise<void> {
  const [cluster, endpoints] = reach(looked);
  await unpauseCluster(cluster, endpoints);
  const lease = await cluster.grantLease(endpoints, Math.ceil(forMs / 1000));
  if (!(await cluster.putIfAbsent(endpoints, PAUSE_KEY, { value: asWord(text), lease })))
    throw new Error('somebody else has paused the cluster in this moment');
}

export const pauseCommand: CommandSpec = {
  name: 'pause',
  what: 'keeps heals from being begun for a time, on this node or in the whole cluster; checks and diagnosis go on',
  options: [
    ['--for <duration>', 'for how long, such as 30m or 2h; at most 24h'],
    ['--reason <text>', 'why, for whoever meets it'],
    ['--cluster', 'on every node: by a key in etcd, which is gone when the time is over'],
  ],
  exits: '0 paused, 1 it could not be written, 2 usage or settings',
  run: async ({ for: time = '(none)', reason = '(none)', cluster }) => {
    const forMs = duration.parse(String(time));
    if (forMs === undefined)
      throw new UsageError(`--for ${time} is not allowed; allowed is ${duration.allowed}`);
    if (!/^(?!\(none\)$)\P{C}{1,200}$/u.test(String(reason)))
      throw new UsageError(`--reason ${reason} is not allowed; allowed are 1 to 200 characters in one line`);
    const looked = await look();
    const { machine, places } = looked.world;
    const by = `${process.env.SUDO_USER ?? process.env.USER ?? 'root'}@${hostname()}`;
    // A new leader grants every lease its whole time again (etcd lease/lessor.go, Promote).
    const [where, flag, longer] = cluster
      ? ['in the whole cluster', ' --cluster', ', which each new leader begins anew,']
      : ['on this node', '', ''];
    const until = new Date(machine.now() + forMs).toISOString();
    const text = `heals are paused ${where} until ${until}${longer} by ${by}: ${reason}; \`heal-node unpause${flag}\` ends that`;
    await (cluster ? pauseCluster(looked, text, forMs) : pauseNode(machine, places, text, forMs));
    openLog('pause').warn({ event: 'paused' }, text);
    console.log(`From now on ${text}. A heal that runs goes on to its end.`);
    return EXIT.done;
  },
};

export const unpauseCommand: CommandSpec = {
  name: 'unpause',
  what: 'ends a pause before its time, on this node or in the whole cluster',
  options: [['--cluster', 'the pause of the whole cluster']],
  exits: '0 no pause is left, 1 it could not be taken away, 2 settings',
  run: async ({ cluster }) => {
    const looked = await look();
    const { machine, places } = looked.world;
    const paused = cluster
      ? await unpauseCluster(...reach(looked))
      : (await machine.kindOf(places.paused)) !== 'none';
    if (!cluster) await machine.remove(places.paused);
    const [text, where] = [
      paused ? 'Heals are not paused any more' : 'Heals were not paused',
      cluster ? 'in the cluster' : 'on this node',
    ];
    if (paused) openLog('unpause').warn({ event: 'unpaused' }, `${text} ${where}.`);
    console.log(`${text} ${where}.`);
    return EXIT.done;
  },
};
