/**
 * `npm run sim -- --seed N` tells one story; `-- --schedules N [--from SEED]` runs many and says what they reached;
 * `--json` says that for a program.
 */
import './memo.ts';
import { parseArgs } from 'node:util';

const { reached, watchTables } = await import('./counters.ts');
const { runSchedule } = await import('./schedule.ts');

/** What hooks print for people is no part of a story. */
const print = console.log;
console.log = () => undefined;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    schedules: { type: 'string' },
    from: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (values.seed !== undefined) {
  const ran = runSchedule(Number(values.seed), true);
  print(ran.story.join('\n'));
  print(
    `seed ${ran.seed}, ${ran.size} nodes: ${ran.events} events, ${ran.healed} stale nodes; ${ran.violation ?? 'everything held'}`,
  );
  process.exit(ran.violation ? 1 : 0);
}
watchTables();
// A story that is told again shows where an error came from.
Error.stackTraceLimit = 0;
const count = Number(values.schedules ?? 1000);
const from = Number(values.from ?? 1);
const beganMs = Date.now();
let [events, healed] = [0, 0];
const violations: string[] = [];
for (let seed = from; seed < from + count; seed++) {
  const ran = runSchedule(seed);
  events += ran.events;
  healed += ran.healed;
  if (ran.violation)
    violations.push(
      `seed ${seed} (${ran.size} nodes): ${ran.violation}\n  replay: npm run sim -- --seed ${seed}`,
    );
}
const seconds = ((Date.now() - beganMs) / 1000).toFixed(1);
const summary = `${count} schedules from seed ${from}, ${events} events, ${healed} stale nodes healed, ${violations.length} violations, ${seconds} s`;
if (values.json) print(JSON.stringify({ summary, violations, counts: reached() }));
else {
  for (const violation of violations) print(violation);
  for (const [key, times] of Object.entries(reached()).sort()) print(`${String(times).padStart(9)}  ${key}`);
  print(summary);
}
process.exit(violations.length === 0 ? 0 : 1);
