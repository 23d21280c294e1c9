import { hostname } from 'node:os';
import { asWord, fromWord, PAUSE_KEY } from '../cluster/pause-key.ts';
import { realWorld } from '../observe/real-world.ts';
import { openLog } from '../report/log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { duration } from '../settings/settings-table.ts';
import { nodePause, pauseNode } from '../state/pause.ts';
import { retell, tell } from '../words/retell.ts';
import { fill } from '../words/words.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';
import { look } from './look.ts';

/**
 * Takes a pause away, and puts another in its place: in the cluster, where it goes with its lease, or on this node.
 * @returns the one that was there @throws when it cannot be changed
 */
async function setPause(inCluster: unknown, text = '', forMs = 0): Promise<string | undefined> {
  if (!inCluster) {
    const { machine, places } = realWorld(loadSettings());
    const was = await nodePause(machine, places);
    await (text === '' ? machine.remove(places.paused) : pauseNode(machine, places, text, forMs));
    return was;
  }
  const { world, situation } = await look();
  const { config, cluster, servesAsOwn } = situation;
  const own = servesAsOwn && config ? [config.clientUrl] : [];
  const endpoints = [...own, ...cluster.serving.map(({ endpoint }) => endpoint)];
  if (endpoints.length === 0) throw new Error('no member serves, so nothing can be changed in the cluster');
  const calls = world.cluster(config?.tls);
  const there = await calls.get(endpoints, PAUSE_KEY);
  if (there?.lease === '')
    throw new Error(
      `${PAUSE_KEY} has no lease; run \`etcdctl del ${PAUSE_KEY}\` (docs/runbook.md says how etcdctl is called here)`,
    );
  // First what may be refused, as where a member is out of space: the pause that is there stays then.
  const lease = text && (await calls.grantLease(endpoints, Math.ceil(forMs / 1000)));
  if (there) await calls.revokeLease(endpoints, there.lease);
  const was = there && fromWord(there.value);
  if (text === '') return was;
  if (!(await calls.putIfAbsent(endpoints, PAUSE_KEY, { value: asWord(text), lease })))
    throw new Error('somebody else has paused the cluster in this moment');
  return was;
}

const where = (inCluster: unknown) => (inCluster ? 'in the whole cluster' : 'on this node');

export const pauseCommand: CommandSpec = {
  name: 'pause',
  run: async ({ for: time = '(none)', reason = '(none)', cluster }) => {
    const forMs = duration.parse(String(time));
    if (forMs === undefined)
      throw new UsageError(`--for ${time} is not allowed; allowed is a time such as 30m or 2h, at most 24h`);
    if (!/^(?!\(none\)$)\P{C}{1,200}$/u.test(String(reason)))
      throw new UsageError(`--reason ${reason} is not allowed; allowed are 1 to 200 characters in one line`);
    const by = `${process.env.SUDO_USER ?? process.env.USER ?? 'root'}@${hostname()}`;
    const until = new Date(Date.now() + forMs).toISOString();
    // A new leader grants every lease its whole time again (etcd: lease/lessor.go, Promote).
    const [longer, flag] = cluster ? [', which each new leader begins anew,', ' --cluster'] : ['', ''];
    const text = `heals are paused ${where(cluster)} until ${until}${longer} by ${by}: ${reason}; \`heal-node unpause${flag}\` ends that`;
    const was = await setPause(cluster, text, forMs);
    openLog('pause').warn({ event: 'paused' }, text);
    console.log(retell('From now on {0}. A heal that runs goes on to its end.', text));
    if (was) console.log(tell('This replaces an earlier pause: {0}.', was));
    return EXIT.done;
  },
};

export const unpauseCommand: CommandSpec = {
  name: 'unpause',
  run: async ({ cluster }) => {
    const was = await setPause(cluster);
    const sentence = was ? 'Heals are not paused any more {0}.' : 'Heals were not paused {0}.';
    if (was) openLog('unpause').warn({ event: 'unpaused' }, fill(sentence, [where(cluster)]));
    const { situation } = await look();
    console.log(tell(sentence, where(cluster)));
    if (situation.paused) console.log(retell('No heal is begun or taken up: {0}.', situation.paused));
    return EXIT.done;
  },
};
