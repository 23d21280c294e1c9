/**
 * heal-node.service's work with a knife: `cutter AT HOW`. Right after its effect number AT (0: right before the
 * first) it writes down where it is, and kills itself (`kill`), or stands still until the machine's power is gone
 * (`power`). Run again after that, it cuts no more. With `steps` for AT it cuts once in every step, right after the
 * step's first effect, each time that it is run again.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { runHealService } from '../../../src/act/heal-service.ts';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import type { Machine } from '../../../src/machine/machine.ts';
import { realWorld } from '../../../src/observe/real-world.ts';
import { openLog } from '../../../src/report/log.ts';
import { loadSettings } from '../../../src/settings/load-settings.ts';

/** In /run: gone with the power. */
const MARK = '/run/cut';
const EFFECTS = '/run/effects';
/** Which steps have been cut in: on the disk that stays. */
const STEPS = '/var/lib/etcd/cut-in';

const machineEffects = [
  'writeFile',
  'makeDirectory',
  'move',
  'remove',
  'copyFrom',
  'runApp',
  'systemctl',
] as const satisfies (keyof Machine)[];
const clusterEffects = [
  'removeMember',
  'addMember',
  'updateMember',
  'putIfAbsent',
  'grantLease',
  'revokeLease',
] as const satisfies (keyof Cluster)[];

const [at, how] = process.argv.slice(2);
const cuts = !existsSync(MARK);
const done: string[] = [];
let step = 'begin';

/** Whether to cut here; each place only once. */
function cutsHere(): boolean {
  if (at !== 'steps') return cuts && done.length === Number(at);
  if (step === 'begin' || existsSync(`${STEPS}/${step}`)) return false;
  mkdirSync(STEPS, { recursive: true });
  writeFileSync(`${STEPS}/${step}`, '');
  return true;
}

function maybeCut(): void {
  if (!cutsHere()) return;
  writeFileSync(MARK, `${step}: ${done.at(-1) ?? 'nothing yet'}`);
  if (how === 'kill') process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The same seam, with every effect counted. */
function counted<T extends object>(seam: T, names: readonly (keyof T)[]): T {
  const counting = { ...seam };
  for (const name of names) {
    const act = seam[name] as (...words: unknown[]) => Promise<unknown>;
    counting[name] = (async (...words: unknown[]) => {
      if (done.length === 0) maybeCut();
      // What fails has no effect, and how often the cluster refuses for a while is chance: it is not counted.
      const result = await act(...words);
      const told = words.flat().filter((word) => typeof word === 'string' && word.length < 80);
      done.push(`${String(name)} ${told.slice(0, 2).join(' ').split('\n')[0]}`);
      writeFileSync(EFFECTS, `${done.join('\n')}\n`);
      maybeCut();
      return result;
    }) as T[keyof T];
  }
  return counting;
}

const settings = loadSettings();
const real = realWorld(settings);
const log = openLog('heal-node.service');
const info: typeof log.info = (data, sentence) => {
  if (data.event === 'step-begins') step = String(data.step);
  log.info(data, sentence);
};
await runHealService(
  {
    ...real,
    machine: counted(real.machine, machineEffects),
    cluster: (tls) => counted(real.cluster(tls), clusterEffects),
  },
  settings,
  Object.assign(Object.create(log), { info }),
);
