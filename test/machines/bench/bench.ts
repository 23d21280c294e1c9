/**
 * Speed as ratios, measured side by side in one run on one bed: `npm run bench -- [--rounds N] [--megabytes N]`. Prints
 * a table; fails nothing by itself.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../../../scripts/compile.ts';
import { Bed } from '../bed/bed.ts';
import { whyNoMachines } from '../bed/host.ts';
import type { TestMachine } from '../bed/machine.ts';
import { createCluster, withSettings } from '../bed/scenario.ts';
import { until } from '../bed/sh.ts';
import { head, say } from '../demo/lines.ts';
import { boots } from './boots.ts';
import { breakMember, type Heal, healBare, healOurs, PARTS } from './heals.ts';
import { HealthWatch } from './health-watch.ts';
import { fill, type LongestWrites, longestWrites } from './longest-writes.ts';
import { median, row, tell } from './table.ts';

const CHECKS = 60;

const BARE_CHECK = '/opt/bare-check';

/** Our check, the app's and a bare one in turn inside one machine, timed there: no part of the bed is in the figures. */
async function checks(machine: TestMachine): Promise<{ ours: number[]; shell: number[]; bare: number[] }> {
  const script = `for i in $(seq ${CHECKS}); do
    a=$EPOCHREALTIME; /opt/heal-node/bin/health-check >/dev/null || exit 1
    b=$EPOCHREALTIME; /opt/app/bin/ctl.sh check >/dev/null || exit 1
    c=$EPOCHREALTIME; ${BARE_CHECK} ${machine.endpoint} || exit 1
    d=$EPOCHREALTIME; echo "$a $b $c $d"
  done`;
  const ran = await machine.run('bash', '-c', script);
  if (ran.code !== 0) throw new Error(`the checks failed: ${ran.stderr}`);
  const rows = ran.stdout.split('\n').map((line) => line.split(' ').map(Number));
  return {
    ours: rows.map(([a = 0, b = 0]) => (b - a) * 1000),
    shell: rows.map(([, b = 0, c = 0]) => (c - b) * 1000),
    bare: rows.map(([, , c = 0, d = 0]) => (d - c) * 1000),
  };
}

/** How long one `heal-node diagnose` takes there, again and again. */
async function diagnoses(machine: TestMachine): Promise<number[]> {
  const script = `for i in $(seq 15); do
    a=$EPOCHREALTIME; /usr/local/bin/heal-node diagnose >/dev/null; b=$EPOCHREALTIME; echo "$a $b"
  done`;
  const { stdout } = await machine.run('bash', '-c', script);
  return stdout.split('\n').map((line) => {
    const [a = 0, b = 0] = line.split(' ').map(Number);
    return (b - a) * 1000;
  });
}

/** Beside it what stands without heal-node; and what no rule would allow, for scale. */
function tellWrites(what: string, { checked, without, comparisons, forced }: LongestWrites): void {
  tell(what, checked, without, '<= 1.5');
  const most = `longest of all ${Math.max(...checked)} ms, without ${Math.max(...without)} ms`;
  say(`      ${comparisons} comparisons meanwhile, as many as HEAL_COMPARE allows; ${most}`);
  say(`      with one out of turn, which no check makes: ${forced} ms`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      megabytes: { type: 'string', default: '1200' },
    },
  });
  const rounds = Number(values.rounds);
  const megabytes = Number(values.megabytes);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    console.error(`--rounds ${values.rounds} is not allowed; allowed is a whole number from 1 to 100.`);
    return 2;
  }
  if (!Number.isInteger(megabytes) || megabytes < 1 || megabytes > 1500) {
    console.error(
      `--megabytes ${values.megabytes} is not allowed; allowed is a whole number from 1 to 1500.`,
    );
    return 2;
  }
  const why = whyNoMachines();
  if (why !== undefined) {
    console.error(`The bench cannot make its machines. ${why}`);
    return 2;
  }
  const image = async (dir: string): Promise<void> => {
    await withSettings('HEAL_AT_BOOT=off')(dir);
    await compile([join(import.meta.dirname, 'bare-check.ts')], join(dir, BARE_CHECK));
  };
  const bed = await Bed.boot({ tell: say, image, asShipped: true });
  let watch: HealthWatch | undefined;
  try {
    await createCluster(bed);
    const { ours, shell, bare: bareChecks } = await checks(bed.machine(1));
    watch = new HealthWatch(bed, bed.machine(2).endpoint);
    const heals: Heal[] = [];
    const bare: Heal[] = [];
    for (let round = 1; round <= rounds; round++) {
      // In turn, and each first every other time: neither has the quieter machine.
      for (const [kind, list] of round % 2
        ? ([
            ['ours', heals],
            ['bare', bare],
          ] as const)
        : ([
            ['bare', bare],
            ['ours', heals],
          ] as const)) {
        await breakMember(bed);
        await watch.settled();
        list.push(kind === 'ours' ? await healOurs(bed, watch) : await healBare(bed, watch));
        await until('the member serves', async () => (await bed.machine(2).hook('health-check')).code === 0);
      }
      say(
        `round ${round} of ${rounds}: heal ${heals.at(-1)?.wholeMs} ms, runbook ${bare.at(-1)?.wholeMs} ms`,
      );
    }
    const { wholeMs, healedMs } = await boots(bed, watch, rounds);
    await breakMember(bed);
    const told = await diagnoses(bed.machine(2));
    const others = [bed.machine(1), bed.machine(3)];
    for (const other of others) await other.cable('down');
    const toldAlone = await diagnoses(bed.machine(2));
    for (const other of others) await other.cable('up');
    await until('the member heals', async () => (await bed.machine(2).hook('health-action')).code === 0);
    for (const machine of bed.machines)
      await machine.sh('echo HEAL_DEEP_CHECK_INTERVAL=1s >>/opt/app/conf/heal-node.env');
    const small = await longestWrites(bed);
    say(`filling the cluster with ${megabytes} MB …`);
    await fill(bed, megabytes);
    const large = await longestWrites(bed);
    head(`Medians of ${CHECKS} checks and ${rounds} heals each, interleaved`);
    say(row(['', 'heal-node', 'other', 'ratio', 'goal']));
    tell("(a) healthy check, against the app's in shell", ours, shell, '<= 0.3');
    tell('      against a bare program of the same toolchain', ours, bareChecks, '<= 1.2');
    tell(
      '(b) heal, against the bare runbook',
      heals.map((h) => h.wholeMs),
      bare.map((h) => h.wholeMs),
      '<= 1.0',
    );
    for (const part of PARTS)
      tell(
        `      ${part}`,
        heals.map((h) => h.partsMs[part]),
        bare.map((h) => h.partsMs[part]),
        '',
      );
    tell(
      '(c) a member short, against the bare runbook',
      heals.map((h) => h.shortMs),
      bare.map((h) => h.shortMs),
      '<= 1.0',
    );
    tell('(d) diagnose of a failed member, the others up', told, undefined, '< 500 ms');
    tell('(e) the same, the others not answering', toldAlone, undefined, '<= 3000 ms');
    tellWrites('(f) longest write, small data, with checks and without', small);
    tellWrites(`(g) the same at ${megabytes} MB`, large);
    tell('(h) from power to healed, data gone; to serving, data whole', healedMs, wholeMs, '');
    tell('      how much longer', [median(healedMs) - median(wholeMs)], undefined, '<= 3000 ms');
    return 0;
  } finally {
    await watch?.stop();
    await bed.down();
  }
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`The bench failed: ${error.message}`);
    process.exit(1);
  },
);
