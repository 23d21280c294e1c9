import type { TestMachine } from '../bed/machine.ts';
import { HOOKS } from '../bed/machine.ts';
import { onBed } from './on-bed.ts';
import { part } from './part.ts';

/** AppCenter calls once a minute; here once a second. */
const CHECKS = 60;
const SPEEDUP = 60;
/** The default, in the compressed time (src/settings/settings-table.ts). */
const DEEP_CHECK_INTERVAL_S = 300 / SPEEDUP;

interface Spent {
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/**
 * Prints what a shell's loop and everything that it has waited for have used: getrusage(2) of children, by its number on
 * x86-64, as the shell's own `times` knows nothing of memory. Perl is small: what it forks begins with its size.
 */
const COUNT = `system("bash", "-c", $ARGV[0]) == 0 or exit 1;
my $used = "\\0" x 144;
syscall(98, -1, $used) == 0 or exit 2;
print join(" ", unpack("q5", $used));`;

/** An hour of one check on one machine: what its processes have used, all together and the largest. */
async function hourOf(machine: TestMachine, check: string): Promise<Spent> {
  // It waits without a process of its own.
  const loop = `exec 3<> <(:); for i in $(seq ${CHECKS}); do
    ${check} >/dev/null || exit 1
    read -r -t 0.9 -u 3 || true
  done`;
  const { code, stdout, stderr } = await machine.run('perl', '-e', COUNT, loop);
  if (code !== 0) throw new Error(`${machine.name}: ${check} failed with ${code}: ${stdout} ${stderr}`);
  const [userS = 0, userUs = 0, systemS = 0, systemUs = 0, peakKiB = 0] = stdout.split(' ').map(Number);
  return { cpuMs: (userS + systemS) * 1000 + (userUs + systemUs) / 1000, peakMiB: peakKiB / 1024 };
}

export const hour = part({
  name: 'hour',
  what: "An hour of AppCenter's calls",
  how: `${CHECKS} checks on each of three nodes at the same time, one a second in place of one a minute, and the deep check ${SPEEDUP} times as often to match; then the same with the app's own check. CPU time and peak resident set are those of the checks' own processes (getrusage(2)), a loop in a shell included in both; what etcd itself spends on answering is not. Figures by node.`,
  minutes: 3,
  goals: {},
  run: () =>
    onBed({}, async (bed) => {
      for (const machine of bed.machines)
        await machine.sh(
          `echo HEAL_DEEP_CHECK_INTERVAL=${DEEP_CHECK_INTERVAL_S}s >>/opt/app/conf/heal-node.env`,
        );
      const onAll = (check: string): Promise<Spent[]> =>
        Promise.all(bed.machines.map((machine) => hourOf(machine, check)));
      const ours = await onAll(`${HOOKS}/health-check`);
      const shell = await onAll('/opt/app/bin/ctl.sh check');
      const beside = (of: (spent: Spent) => number) => ({ ours: ours.map(of), other: shell.map(of) });
      return {
        rows: [
          {
            what: "CPU time of an hour of checks on a node, against the app's",
            unit: 'ms',
            ...beside(({ cpuMs }) => cpuMs),
          },
          {
            what: 'peak memory of a check',
            isDetail: true,
            unit: 'MiB',
            ...beside(({ peakMiB }) => peakMiB),
          },
        ],
        notes: [],
      };
    }),
});
