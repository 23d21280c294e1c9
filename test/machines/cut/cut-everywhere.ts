/**
 * One heal, cut off right after each of its effects (and right before the first), on real machines: the healer is
 * killed, the machine loses its power, or it is migrated and its root disk is the image's again. Each time it ends
 * healed, on the originals, once in the member list, without a person.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import * as assert from 'uvu/assert';
import type { TestMachine } from '../bed/machine.ts';
import { healed, type Stage, scenario } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { etcdFailed, idOf, memberList, originals, traces } from '../bed/world.ts';

export const WAYS = ['killed', 'power lost', 'migrated'] as const;
export type Way = (typeof WAYS)[number];

const CUTTER = '/opt/cut/cutter';
const STATE = '/var/lib/etcd/heal-node';

/** The cutter, compiled like the product, and room for as many heals as there are cuts. */
async function image(dir: string): Promise<void> {
  await execa(process.execPath, [
    'build',
    '--compile',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    join(import.meta.dirname, 'cutter.ts'),
    `--outfile=${join(dir, CUTTER)}`,
  ]);
  writeFileSync(join(dir, 'opt/app/conf/heal-node.env'), 'HEAL_MAX_PER_DAY=100\n', { mode: 0o600 });
}

const ENDED = 'it has ended before';

const inRun = (machine: TestMachine, name: string): string => `/proc/${machine.pid}/root/run/${name}`;

/** The member goes stale, and its next heal is cut right after effect `at`. */
async function goStale(bad: TestMachine, at: number, way: Way): Promise<void> {
  const unit = `[Service]\\nExecStart=\\nExecStart=${CUTTER} ${at} ${way === 'killed' ? 'kill' : 'power'}\\n`;
  await bad.sh(
    `rm -rf ${STATE}/history ${STATE}/aside /run/cut /run/effects; mkdir -p /run/systemd/system/heal-node.service.d; ` +
      `printf '${unit}' >/run/systemd/system/heal-node.service.d/cut.conf; systemctl daemon-reload; ` +
      'systemctl stop etcd; rm -rf /var/lib/etcd/default.etcd/member; systemctl reset-failed etcd; systemctl start --no-block etcd',
  );
  await etcdFailed(bad);
}

/** How many effects a heal has that nothing cuts. */
async function countEffects(bad: TestMachine): Promise<string[]> {
  await goStale(bad, -1, 'killed');
  await bad.hook('health-action');
  await healed(bad);
  return readFileSync(inRun(bad, 'effects'), 'utf8').trim().split('\n');
}

async function cutOnce(stage: Stage, bad: TestMachine, at: number, way: Way, unit: string): Promise<string> {
  const { bed, machine, machines } = stage;
  const oldId = await idOf(bed, machine(1), bad);
  await goStale(bad, at, way);
  const mark = inRun(bad, 'cut');
  await bad.sh('/opt/heal-node/bin/health-action >/dev/null 2>&1 &');
  const where = await until(`it is cut after effect ${at}, or has ended`, async () => {
    if (existsSync(mark)) return readFileSync(mark, 'utf8').trim().split('\n')[0];
    // The heal that was counted may have had more: a call that was refused for a while, and asked again.
    const ended = (await bad.cli('history', '--json')).stdout;
    return JSON.parse(ended || '{"heals":[]}').heals.length > 0 && !existsSync(mark) && ENDED;
  });
  if (way !== 'killed' && where !== ENDED) {
    await bad.powerOff();
    if (way === 'migrated') bad.resetRootDisk();
    await bad.powerOn(false);
    // As AppCenter starts the app on a machine that has been migrated.
    if (way === 'migrated') void bad.hook('start');
  }
  const platform = stage.appCenter();
  let seen = '';
  await until(
    `healed after it was ${way} after effect ${at} (${where})`,
    async () => {
      const check = await bad.hook('health-check');
      const left = await traces(bad);
      const { stdout: service } = await bad.run('systemctl', 'is-active', 'heal-node');
      seen = `health-check ${check.code} ${check.stdout}; left: ${left || 'nothing'}; heal-node.service ${service}`;
      return check.code === 0 && left === '' && service === 'inactive';
    },
    150_000,
    300,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last seen: ${seen}`);
  });
  await platform.stop();
  const list = await memberList(bed, machine(1));
  assert.is(list.length, machines.length, `${way} after effect ${at}: as many members as before`);
  const own = list.filter(({ name }) => name === bad.name);
  assert.is(own.length, 1, `${way} after effect ${at}: listed once`);
  // The very first cut may find that nothing had been done, and the very last that all had.
  assert.is.not(own[0]?.id, oldId, `${way} after effect ${at}: under a new ID`);
  assert.is(await originals(bad), unit, `${way} after effect ${at}: on the originals`);
  return where;
}

/** @param waysAt which ways to cut after that effect */
export function cutEverywhere(title: string, waysAt: (effect: number) => readonly Way[]): void {
  scenario(title, { image }, async (stage) => {
    const bad = stage.machine(2);
    const unit = await originals(bad);
    const effects = await countEffects(bad);
    assert.ok(effects.length > 20, `${effects.length} effects`);
    let count = 0;
    // From and to those that are given, to look at them alone.
    const [from = 0, to = effects.length] = process.argv.slice(2).map(Number);
    for (let at = from; at <= to; at++) {
      for (const way of waysAt(at)) {
        const beganMs = Date.now();
        const where = await cutOnce(stage, bad, at, way, unit);
        if (where === ENDED) continue;
        count++;
        console.log(
          `${String(at).padStart(3)}  ${way.padEnd(10)}  healed  ${((Date.now() - beganMs) / 1000).toFixed(1).padStart(5)} s  ${where}`,
        );
      }
    }
    console.log(`${effects.length} effects, cut off ${count} times, healed ${count} times`);
  });
}
