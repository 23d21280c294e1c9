import type { TestMachine } from '../bed/machine.ts';
import { until } from '../bed/sh.ts';
import { breakMember, serves } from './heals.ts';
import { onBed } from './on-bed.ts';
import { atMost, part } from './part.ts';

const DIAGNOSES = 15;

/** How long one `heal-node diagnose` takes there, so many times; in milliseconds. */
export async function diagnoses(machine: TestMachine, times: number): Promise<number[]> {
  const script = `for i in $(seq ${times}); do
    a=$EPOCHREALTIME; /usr/local/bin/heal-node diagnose >/dev/null; b=$EPOCHREALTIME; echo "$a $b"
  done`;
  const { stdout } = await machine.run('bash', '-c', script);
  return stdout.split('\n').map((line) => {
    const [a = 0, b = 0] = line.split(' ').map(Number);
    return (b - a) * 1000;
  });
}

export const diagnose = part({
  name: 'diagnose',
  what: 'Diagnosis of a failed member',
  how: `\`heal-node diagnose\` on a member that has lost its data, ${DIAGNOSES} times while the others serve, and as often while their cables are cut, so that nobody answers.`,
  minutes: 2,
  goals: { up: atMost(500), silent: atMost(3000) },
  run: (_, goals) =>
    onBed({}, async (bed) => {
      const bad = bed.machine(2);
      await breakMember(bed);
      const up = await diagnoses(bad, DIAGNOSES);
      const others = bed.machines.filter((machine) => machine !== bad);
      for (const other of others) await other.cable('down');
      const silent = await diagnoses(bad, DIAGNOSES);
      for (const other of others) await other.cable('up');
      await until('the member heals', async () => (await bad.hook('health-action')).code === 0);
      await serves(bed);
      return {
        rows: [
          { what: 'diagnose of a failed member, the others up', unit: 'ms', ours: up, goal: goals.up },
          { what: 'the same, the others silent', unit: 'ms', ours: silent, goal: goals.silent },
        ],
        notes: [],
      };
    }),
});
