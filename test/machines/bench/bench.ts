/**
 * Speed as ratios, measured side by side in one run on one bed: `npm run bench -- [--rounds N]`. Prints a table;
 * fails nothing by itself.
 */
import { parseArgs } from 'node:util';
import { Bed } from '../bed/bed.ts';
import { goStale } from '../bed/breakage.ts';
import { whyNoMachines } from '../bed/host.ts';
import type { TestMachine } from '../bed/machine.ts';
import { runBareRunbook } from '../bed/runbook.ts';
import { createCluster } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { etcdFailed } from '../bed/world.ts';
import { head, say } from '../demo/lines.ts';
import { HealthWatch } from './health-watch.ts';

/** `member add` is refused for 5 s after any member has started (etcdserver/server.go, HealthInterval). */
const SETTLE_MS = 6000;
const CHECKS = 60;

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

interface Heal {
  readonly wholeMs: number;
  readonly shortMs: number;
}

/** Both checks in turn inside one machine, timed there: no part of the bed is in the figures. */
async function checks(machine: TestMachine): Promise<{ ours: number[]; shell: number[] }> {
  const script = `for i in $(seq ${CHECKS}); do
    a=$EPOCHREALTIME; /opt/heal-node/bin/health-check >/dev/null || exit 1
    b=$EPOCHREALTIME; /opt/app/bin/ctl.sh check >/dev/null || exit 1
    c=$EPOCHREALTIME; echo "$a $b $c"
  done`;
  const ran = await machine.run('bash', '-c', script);
  if (ran.code !== 0) throw new Error(`the checks failed: ${ran.stderr}`);
  const rows = ran.stdout.split('\n').map((line) => line.split(' ').map(Number));
  return {
    ours: rows.map(([a = 0, b = 0]) => (b - a) * 1000),
    shell: rows.map(([, b = 0, c = 0]) => (c - b) * 1000),
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

/** Takes member 2's data away and waits until its etcd has given up. */
async function breakMember(bed: Bed): Promise<void> {
  await sleep(SETTLE_MS);
  await goStale(bed.machine(2));
  await etcdFailed(bed.machine(2));
}

async function healOurs(bed: Bed, watch: HealthWatch): Promise<Heal> {
  const bad = bed.machine(2);
  await bad.sh('rm -rf /var/lib/etcd/heal-node/history'); // or the daily limit ends the bench
  const beganMs = Date.now();
  const { code, stdout } = await bad.hook('health-action');
  const wholeMs = Date.now() - beganMs;
  if (code !== 0 || !/Healed in/.test(stdout)) throw new Error(`the action ended with ${code}: ${stdout}`);
  const log = await bad.sh('tail -n 60 /var/log/heal-node/heal-node.log');
  const events = log.split('\n').map((line) => JSON.parse(line));
  const removed = Date.parse(
    events.findLast(({ event, step }) => event === 'step-done' && step === 'remove').time,
  );
  return { wholeMs, shortMs: watch.firstHealthyAfter(removed) - removed };
}

async function healBare(bed: Bed, watch: HealthWatch): Promise<Heal> {
  const bad = bed.machine(2);
  const ran = await runBareRunbook(bed, bad);
  const removed = Number(/removed ([\d.]+)/.exec(ran.stdout)?.[1]) * 1000;
  return { wholeMs: ran.wholeMs, shortMs: watch.firstHealthyAfter(removed) - removed };
}

const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(48) : cell.padStart(12))).join('');

function tell(
  what: string,
  ours: readonly number[],
  other: readonly number[] | undefined,
  goal: string,
): void {
  const [a, b] = [median(ours), median(other ?? [])];
  const beside = other ? [`${b.toFixed(1)} ms`, (a / b).toFixed(2)] : ['', ''];
  say(row([what, `${a.toFixed(1)} ms`, ...beside, goal]));
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    console.error(`--rounds ${values.rounds} is not allowed; allowed is a whole number from 1 to 100.`);
    return 2;
  }
  const why = whyNoMachines();
  if (why !== undefined) {
    console.error(`The bench cannot make its machines. ${why}`);
    return 2;
  }
  const bed = await Bed.boot({ tell: say });
  let watch: HealthWatch | undefined;
  try {
    await createCluster(bed);
    const { ours, shell } = await checks(bed.machine(1));
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
    await breakMember(bed);
    const told = await diagnoses(bed.machine(2));
    for (const other of [bed.machine(1), bed.machine(3)]) await other.cable('down');
    const toldAlone = await diagnoses(bed.machine(2));
    head(`Medians of ${CHECKS} checks and ${rounds} heals each, interleaved`);
    say(row(['', 'heal-node', 'other', 'ratio', 'goal']));
    tell("(a) healthy check, against the app's in shell", ours, shell, '<= 0.4');
    tell(
      '(b) heal, against the bare runbook',
      heals.map((h) => h.wholeMs),
      bare.map((h) => h.wholeMs),
      '<= 1.3',
    );
    tell(
      '(c) a member short, against the bare runbook',
      heals.map((h) => h.shortMs),
      bare.map((h) => h.shortMs),
      '<= 1.0',
    );
    tell('(d) diagnose of a failed member, the others up', told, undefined, '< 500 ms');
    tell('(e) the same, the others not answering', toldAlone, undefined, '<= 3000 ms');
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
