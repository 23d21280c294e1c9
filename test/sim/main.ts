/** `npm run sim -- --seed N` tells one story; `-- --schedules N [--from SEED]` runs many and counts. */
import { parseArgs } from 'node:util';
import { runSchedule } from './schedule.ts';

/** What hooks print for people is no part of a story. */
const print = console.log;
console.log = () => undefined;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, schedules: { type: 'string' }, from: { type: 'string' } },
});
if (values.seed !== undefined) {
  const ran = runSchedule(Number(values.seed), true);
  print(ran.story.join('\n'));
  print(
    `seed ${ran.seed}: ${ran.events} events, ${ran.healed} stale nodes; ${ran.violation ?? 'everything held'}`,
  );
  process.exit(ran.violation ? 1 : 0);
}
// A story that is told again shows where an error came from.
Error.stackTraceLimit = 0;
const count = Number(values.schedules ?? 1000);
const from = Number(values.from ?? 1);
const beganMs = Date.now();
let [events, effects, healed, bad] = [0, 0, 0, 0];
for (let seed = from; seed < from + count; seed++) {
  const ran = runSchedule(seed);
  events += ran.events;
  effects += ran.effects;
  healed += ran.healed;
  if (ran.violation) {
    bad++;
    print(`seed ${seed}: ${ran.violation}`);
  }
}
print(
  `${count} schedules from seed ${from}, ${events} events, ${effects} effects, ${healed} stale nodes healed, ${bad} violations, ${((Date.now() - beganMs) / 1000).toFixed(1)} s`,
);
process.exit(bad === 0 ? 0 : 1);
