/**
 * One heal, cut off right after each of its effects (and right before the first), on real machines: the healer is
 * killed, the machine loses its power, or it is migrated and its root disk is the image's again. Each time it ends
 * healed, on the originals, once in the member list, without a person.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { compile } from '../../../scripts/compile.ts';
import { healSteps } from '../../../src/plan/heal-steps.ts';
import { suites } from '../bed/base-root.ts';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { notAtFirstBoot, type Stage, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { idOf, memberList, originals, pastHeals, traces } from '../bed/world.ts';

/** What was being written when it was cut off goes with a write there that comes a minute later (HeldDir.write). */
const LEFT_BY_A_CUT = /\/\.[^/]+\.[0-9a-f]{24}$/;

export const WAYS = ['killed', 'power lost', 'migrated'] as const;
export type Way = (typeof WAYS)[number];

/** All ways after every effect take a quarter of an hour (`npm run cuts`); in `npm test` a sixteenth of them have their turn with one. */
export const oneWay = (effect: number): readonly Way[] => [
  WAYS[(effect + Math.floor(effect / WAYS.length)) % WAYS.length] ?? 'killed',
];

export const CUTTER = '/opt/cut/cutter';
const STATE = '/var/lib/etcd/heal-node';
const CUT_IN = 'cut-in';
/** Where the drop-in lies that has heal-node.service run the cutter: gone with the power, or staying. */
const KNIFE = {
  once: '/run/systemd/system/heal-node.service.d',
  steps: '/etc/systemd/system/heal-node.service.d',
} as const;
/** AppCenter looks at the one machine more often than at all three: the cuts wait for it. */
const SPEEDUP = 80;

/** The cutter, compiled like the product. */
export async function withCutter(dir: string): Promise<void> {
  await compile([join(import.meta.dirname, 'cutter.ts')], join(dir, CUTTER));
}

/** The same, and room for as many heals as there are cuts. */
async function image(dir: string): Promise<void> {
  await withCutter(dir);
  notAtFirstBoot(dir);
  writeFileSync(join(dir, 'opt/app/conf/heal-node.env'), 'HEAL_MAX_PER_DAY=100\n', { mode: 0o600 });
}

/** Fewer would mean that the cutter does not see them. */
const LEAST_EFFECTS = 40;

const inRun = (machine: TestMachine, name: string): string => `/proc/${machine.pid}/root/run/${name}`;

/** The member goes stale, and its next heal is cut right after effect `at`, or in every step. */
async function goStale(bad: TestMachine, at: number | 'steps', way: Way): Promise<void> {
  const unit = `[Service]\\nExecStart=\\nExecStart=${CUTTER} ${at} ${way === 'killed' ? 'kill' : 'power'}\\n`;
  const knife = at === 'steps' ? KNIFE.steps : KNIFE.once;
  await bad.sh(
    `rm -rf ${STATE}/history ${STATE}/aside ${KNIFE.once} /run/cut /run/effects; mkdir -p ${knife}; ` +
      `printf '${unit}' >${knife}/cut.conf; systemctl daemon-reload; systemctl stop etcd`,
  );
  await breakDisk(bad, 'wal-garbled');
  await bad.sh('systemctl reset-failed etcd; systemctl start --no-block etcd');
}

/**
 * After a cut by power: the machine comes back as it does in life.
 * @param hooks is given what AppCenter calls meanwhile: it may go on when the member is well already
 */
async function comeBack(bad: TestMachine, way: Way, hooks: Promise<unknown>[]): Promise<void> {
  await bad.powerOff();
  if (way === 'migrated') bad.resetRootDisk();
  await bad.powerOn(false);
  // As AppCenter starts the app on a machine that has been migrated.
  if (way === 'migrated') hooks.push(bad.run('/opt/heal-node/bin/start'));
}

/** Waits until the heal is over, and sees that it has left everything as it should be. */
async function expectWhole(
  { bed, machine, machines }: Stage,
  bad: TestMachine,
  { oldId, unit }: { readonly oldId: string; readonly unit: string },
  what: string,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  let seen = '';
  await until(
    `healed after it was ${what}`,
    async () => {
      await meanwhile();
      const check = await bad.hook('health-check');
      const { stdout: service } = await bad.run('systemctl', 'is-active', 'heal-node');
      seen = `health-check ${check.code} ${check.stdout}; heal-node.service ${service}`;
      if (check.code !== 0 || service !== 'inactive') return false;
      const left = (await traces(bad))
        .split('\n')
        .filter((path) => !LEFT_BY_A_CUT.test(path))
        .join(', ');
      seen += `; left: ${left || 'nothing'}`;
      return left === '';
    },
    180_000,
    800,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last seen: ${seen}`);
  });
  const list = await memberList(bed, machine(1));
  assert.is(list.length, machines.length, `${what}: as many members as before`);
  const own = list.filter(({ name }) => name === bad.name);
  assert.is(own.length, 1, `${what}: listed once`);
  assert.is.not(own[0]?.id, oldId, `${what}: under a new ID`);
  assert.is(await originals(bad), unit, `${what}: on the originals`);
}

/** What a heal that was not cut has done: it has no effect of that number. */
interface Uncut {
  readonly effects: readonly string[];
}

/** Waits until the heal is cut, or has come to its end before. */
async function cutOrEnded(bad: TestMachine, at: number): Promise<string | Uncut> {
  const read = (name: string): string | undefined => {
    const path = inRun(bad, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined;
  };
  return until(
    `it is cut after effect ${at}, or has ended`,
    async () => {
      const where = read('cut')?.split('\n')[0];
      if (where !== undefined) return where;
      // Its last effects come after its entry in the history.
      if (pastHeals(bad).length === 0) return undefined;
      const { stdout: service } = await bad.run('systemctl', 'is-active', 'heal-node');
      if (service !== 'inactive' || read('cut') !== undefined) return undefined;
      return { effects: (read('effects') ?? '').split('\n') };
    },
    180_000,
    100,
  );
}

async function cutOnce(
  stage: Stage,
  bad: TestMachine,
  at: number,
  way: Way,
  unit: string,
): Promise<string | Uncut> {
  const oldId = await idOf(stage.bed, stage.machine(1), bad);
  await goStale(bad, at, way);
  const platform = stage.appCenter(SPEEDUP, [bad]);
  const where = await cutOrEnded(bad, at);
  const cut = typeof where === 'string';
  const hooks: Promise<unknown>[] = [];
  if (cut && way !== 'killed') await comeBack(bad, way, hooks);
  await expectWhole(
    stage,
    bad,
    { oldId, unit },
    cut ? `${way} after effect ${at} (${where})` : 'not cut at all',
  );
  await Promise.all(hooks);
  await platform.stop();
  return where;
}

/** One heal, cut off once in every step. */
async function cutInEveryStep(stage: Stage, bad: TestMachine, way: Way, unit: string): Promise<number> {
  const oldId = await idOf(stage.bed, stage.machine(1), bad);
  await goStale(bad, 'steps', way);
  const platform = stage.appCenter(SPEEDUP, [bad]);
  const steps = join(bad.dataDisk, CUT_IN);
  const cutIn = (): string[] => (existsSync(steps) ? readdirSync(steps) : []);
  // The last step may be seen done after a cut in the one before it; certificates are brought in TLS mode alone.
  const must = healSteps
    .map(({ id }) => id as string)
    .filter((id) => id !== 'confirm' && id !== 'certificates');
  const hooks: Promise<unknown>[] = [];
  /** Where the cutter stands still, the power goes, and comes back. */
  const stood = async (): Promise<boolean> => {
    const stands = way !== 'killed' && existsSync(inRun(bad, 'cut'));
    if (stands) await comeBack(bad, way, hooks);
    return stands;
  };
  await until(
    'it is cut in every step',
    async () => !(await stood()) && must.every((id) => cutIn().includes(id)),
    180_000,
    50,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it was cut in ${cutIn().join(', ')}`);
  });
  // The last step is cut too, or was seen done.
  await expectWhole(stage, bad, { oldId, unit }, `${way} in every step`, stood);
  await Promise.all(hooks);
  await bad.sh(`rm -r ${KNIFE.steps}; systemctl daemon-reload`);
  await platform.stop();
  const count = cutIn().length;
  await bad.sh(`rm -r /var/lib/etcd/${CUT_IN}`);
  return count;
}

/** `npm run cuts -- FROM` begins there. */
const FROM = Number(process.argv[2] ?? 0);

/** `npm run cuts -- 0 trixie` does so on that release, with its etcd and systemd. */
const SUITE = suites.find((suite) => suite === process.argv[3]);

/**
 * @param part which of the effects, by their number modulo `of`: each part has a bed of its own
 * @param waysAt which ways to cut after an effect
 */
export function cutEverywhere(part: number, of: number, waysAt: (effect: number) => readonly Way[]): void {
  scenario(
    `a heal is cut off after every effect, part ${part + 1} of ${of}`,
    { image, ...(SUITE && { suite: SUITE }) },
    async (stage) => {
      const bad = stage.machine(2);
      const unit = await originals(bad);
      let count = 0;
      const tell = (what: string, beganMs: number, where: string): void => {
        count++;
        const seconds = ((Date.now() - beganMs) / 1000).toFixed(1);
        console.log(`${what.padEnd(16)}  healed  ${seconds.padStart(5)} s  ${where}`);
      };
      let uncut: Uncut | undefined;
      let at = FROM + ((((part - FROM) % of) + of) % of);
      // How many effects a heal has differs a little, by what it may skip: it is cut after one more until it has none.
      for (; uncut === undefined; at += of) {
        for (const way of waysAt(at)) {
          const beganMs = Date.now();
          const where = await cutOnce(stage, bad, at, way, unit);
          if (typeof where === 'string') tell(`${String(at).padStart(3)}  ${way}`, beganMs, where);
          else uncut = where;
        }
      }
      const last = uncut.effects.length;
      assert.ok(last > LEAST_EFFECTS, `a whole heal has ${last} effects`);
      assert.ok(last < at - of, `the heal that was not cut after effect ${at - of} has ${last}`);
      for (const [number, way] of (['killed', 'power lost'] as const).entries()) {
        if (number % of !== part) continue;
        const beganMs = Date.now();
        tell(
          `all  ${way}`,
          beganMs,
          `${await cutInEveryStep(stage, bad, way, unit)} steps, one after the other`,
        );
      }
      console.log(`a whole heal has ${last} effects; cut off ${count} times here, healed ${count} times`);
    },
  );
}
