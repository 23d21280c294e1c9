import { join } from 'node:path';
import { compile } from '../../../scripts/compile.ts';
import { CLIENT_TLS_DIR } from '../../../src/machine/etcd/etcd-config.ts';
import type { Found, Goal } from '../../bench/figures.ts';
import type { BedOptions } from '../bed/bed.ts';
import type { TestMachine } from '../bed/machine.ts';
import { DNS, inTls } from '../bed/tls.ts';
import { onBed } from './on-bed.ts';
import { part, ratio } from './part.ts';

const CHECKS = 60;
const BARE_CHECK = '/opt/bare-check';

const image = async (dir: string): Promise<void> => {
  await compile([join(import.meta.dirname, 'bare-check.ts')], join(dir, BARE_CHECK));
};

/** Our check, the app's and a bare one in turn inside one machine, timed there: no part of the bed is in the figures. */
async function checks(
  machine: TestMachine,
  bareWords: string,
): Promise<Record<'ours' | 'shell' | 'bare', number[]>> {
  const script = `for i in $(seq ${CHECKS}); do
    a=$EPOCHREALTIME; /opt/heal-node/bin/health-check >/dev/null || exit 1
    b=$EPOCHREALTIME; /opt/app/bin/ctl.sh check >/dev/null || exit 2
    c=$EPOCHREALTIME; ${BARE_CHECK} ${bareWords} || exit 3
    d=$EPOCHREALTIME; echo "$a $b $c $d"
  done`;
  const ran = await machine.run('bash', '-c', script);
  if (ran.code !== 0) throw new Error(`the checks failed with ${ran.code}: ${ran.stdout} ${ran.stderr}`);
  const rows = ran.stdout.split('\n').map((line) => line.split(' ').map(Number));
  return {
    ours: rows.map(([a = 0, b = 0]) => (b - a) * 1000),
    shell: rows.map(([, b = 0, c = 0]) => (c - b) * 1000),
    bare: rows.map(([, , c = 0, d = 0]) => (d - c) * 1000),
  };
}

const found = async (
  options: BedOptions,
  bareWords: (machine: TestMachine) => string,
  over: string,
  goals: { readonly shell: Goal; readonly bare: Goal },
): Promise<Found> =>
  onBed(options, async (bed) => {
    const { ours, shell, bare } = await checks(bed.machine(1), bareWords(bed.machine(1)));
    return {
      rows: [
        {
          what: `healthy check over ${over}, against the app's`,
          unit: 'ms',
          ours,
          other: shell,
          goal: goals.shell,
        },
        { what: 'against a bare program', isDetail: true, unit: 'ms', ours, other: bare, goal: goals.bare },
      ],
      notes: [],
    };
  });

const HOW = `Inside one machine of a healthy cluster of three, ${CHECKS} times in turn: \`health-check\`, the app's own check (a shell, curl, jq), and a bare program that was compiled by the same toolchain and makes the same one request`;

export const checksHttp = part({
  name: 'checks-http',
  what: 'The healthy check over HTTP',
  how: `${HOW}.`,
  minutes: 1,
  goals: { shell: ratio(0.3), bare: ratio(1.2) },
  run: (_, goals) => found({ image }, ({ endpoint }) => endpoint, 'HTTP', goals),
});

export const checksTls = part({
  name: 'checks-tls',
  what: 'The healthy check over TLS',
  how: `${HOW}, all three with the same client certificate and the same authority.`,
  minutes: 1,
  goals: { shell: ratio(0.4), bare: ratio(1.2) },
  run: (_, goals) =>
    found(inTls(3, image), ({ name }) => `https://${name}${DNS}:2379 ${CLIENT_TLS_DIR}`, 'TLS', goals),
});
