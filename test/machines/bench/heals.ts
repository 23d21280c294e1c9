import type { Bed } from '../bed/bed.ts';
import type { TestMachine } from '../bed/machine.ts';
import { runBareRunbook } from '../bed/runbook.ts';
import { sleep, until } from '../bed/sh.ts';
import { etcdFailed, pastHeals } from '../bed/world.ts';
import type { HealthWatch } from './health-watch.ts';

/** `member add` is refused for 5 s after any member has started (etcdserver/server.go, HealthInterval). */
const SETTLE_MS = 6000;
/** Gigabytes have to arrive: the action ends before, and the heal goes on. */
const LONGEST_HEAL_MS = 900_000;

/** What a heal and the runbook do, in parts that can be laid side by side; the runbook's numbers. */
export const PARTS = [
  'find out what is wrong',
  '1 stop etcd, its unit out of the way',
  '3 data out of the way, existing-state unit',
  '2 remove and add the member',
  '3, 4 start it; wait until it serves; look',
  '5, 6 back on the originals, and serving',
] as const;
type Part = (typeof PARTS)[number];

export interface Heal {
  readonly wholeMs: number;
  /** From the removal of the old member until the new one was seen healthy. */
  readonly shortMs: number;
  readonly partsMs: Readonly<Record<Part, number>>;
}

/** Takes member 2's data away and waits until its etcd has given up. */
export async function breakMember(bed: Bed): Promise<void> {
  const bad = bed.machine(2);
  await sleep(SETTLE_MS);
  await bad.sh(
    'systemctl stop etcd; rm -rf /var/lib/etcd/default.etcd; systemctl reset-failed etcd; systemctl start --no-block etcd',
  );
  await etcdFailed(bad);
}

export const serves = (bed: Bed): Promise<boolean> =>
  until('the member serves', async () => (await bed.machine(2).hook('health-check')).code === 0);

/** Times between moments, in the order of the parts. */
const between = (moments: readonly number[]): Heal['partsMs'] =>
  Object.fromEntries(
    PARTS.map((part, i) => [part, (moments[i + 1] ?? Number.NaN) - (moments[i] ?? Number.NaN)]),
  ) as Heal['partsMs'];

/** When a heal began, and how long it took. */
export interface Timed {
  readonly beganMs: number;
  readonly wholeMs: number;
}

/** Or the daily limit ends the bench, and the log holds more than this heal. */
const forgetHeals = (bad: TestMachine) =>
  bad.sh('rm -rf /var/lib/etcd/heal-node/history; : >/var/log/heal-node/heal-node.log');

async function healedSince(bad: TestMachine, beganMs: number): Promise<Timed> {
  const ended = await until('the heal has ended', async () => pastHeals(bad)[0], LONGEST_HEAL_MS, 50);
  if (ended.outcome !== 'healed' || ended.endedAt === undefined)
    throw new Error(`the heal ended as ${ended.outcome}: ${ended.message}`);
  return { beganMs, wholeMs: Date.parse(ended.endedAt) - beganMs };
}

/** Heals member 2 by the health action. */
export async function healByAction(bed: Bed): Promise<Timed> {
  const bad = bed.machine(2);
  await forgetHeals(bad);
  const beganMs = Date.now();
  const { code, stdout } = await bad.hook('health-action');
  const actionMs = Date.now() - beganMs;
  if (code === 0 && /Healed in/.test(stdout)) return { beganMs, wholeMs: actionMs };
  if (code !== 0 || !/under way/.test(stdout)) throw new Error(`the action ended with ${code}: ${stdout}`);
  return healedSince(bad, beganMs);
}

/** Heals member 2, whose data are gone, as a boot does: its start is refused, and that asks for the heal. */
export async function healByStart(bed: Bed): Promise<Timed> {
  const bad = bed.machine(2);
  const settings = '/opt/app/conf/heal-node.env';
  await forgetHeals(bad);
  await bad.sh(`sed -i s/^HEAL_AT_BOOT=.*/HEAL_AT_BOOT=on/ ${settings}; systemctl reset-failed etcd`);
  try {
    const beganMs = Date.now();
    await bad.sh('systemctl start --no-block etcd');
    return await healedSince(bad, beganMs);
  } finally {
    await bad.sh(`sed -i s/^HEAL_AT_BOOT=.*/HEAL_AT_BOOT=off/ ${settings}`);
  }
}

/** A heal of ours, in parts as its log tells them. */
export async function inParts(bed: Bed, watch: HealthWatch, { beganMs, wholeMs }: Timed): Promise<Heal> {
  const log = await bed.machine(2).sh('cat /var/log/heal-node/heal-node.log');
  const events = log.split('\n').map((line) => JSON.parse(line));
  const at = (event: string, ...steps: readonly string[]): number =>
    Date.parse(events.find((each) => each.event === event && steps.includes(each.step))?.time);
  const removed = at('step-done', 'remove');
  return {
    wholeMs,
    shortMs: watch.firstHealthyAfter(removed) - removed,
    partsMs: between([
      beganMs,
      at('step-begins', 'fence'),
      // There is nothing to set aside where the data dir is gone.
      at('step-begins', 'set-aside', 'stage'),
      at('step-begins', 'remove'),
      at('step-begins', 'start'),
      at('step-begins', 'restore'),
      beganMs + wholeMs,
    ]),
  };
}

export async function healBare(bed: Bed, watch: HealthWatch): Promise<Heal> {
  const bad = bed.machine(2);
  const ran = await runBareRunbook(bed, bad);
  const at = (what: string): number => Number(new RegExp(`${what} ([\\d.]+)`).exec(ran.stdout)?.[1]) * 1000;
  const [began, stopped, removed, added, staged, looked, ended] = [
    'began',
    'stopped',
    'removed',
    'added',
    'staged',
    'looked',
    'ended',
  ].map(at) as [number, number, number, number, number, number, number];
  return {
    wholeMs: ran.wholeMs,
    shortMs: watch.firstHealthyAfter(removed) - removed,
    // It knows what is wrong, and does its step 2 before its 3.
    partsMs: {
      [PARTS[0]]: 0,
      [PARTS[1]]: stopped - began,
      [PARTS[2]]: staged - added,
      [PARTS[3]]: added - stopped,
      [PARTS[4]]: looked - staged,
      [PARTS[5]]: ended - looked,
    },
  };
}
