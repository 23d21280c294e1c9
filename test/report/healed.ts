import { runHealService } from '../../src/act/heal-service.ts';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { situationOf } from '../../src/diagnose/situation.ts';
import { observe } from '../../src/observe/observe.ts';
import { incident } from '../../src/report/incident.ts';
import { jsonText } from '../../src/report/json-text.ts';
import { type LogLine, parseLines } from '../../src/report/read-log.ts';
import { type HealRecord, history } from '../../src/state/heal-record.ts';
import { PLACES } from '../fake/observation.ts';
import { ThreeMembers } from '../fake/three-members.ts';

/** A heal in the fake world, with its record and all that it has logged. */
export function healed(): {
  fake: ThreeMembers;
  record: HealRecord;
  lines: LogLine[];
  report: ReturnType<typeof reportOf>;
} {
  const fake = new ThreeMembers('WAL damaged');
  fake.putFile(PLACES.request, JSON.stringify({ by: 'operator', atMs: fake.clock.nowMs }));
  const raw: string[] = [];
  const write = (level: string) => (data: object, msg: string) => {
    const time = new Date(fake.clock.nowMs).toISOString();
    raw.push(jsonText({ level, time, caller: 'heal-node.service', ...data, msg }));
  };
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const outcome = fake.run((world) => runHealService(world, fake.settings, log));
  if (outcome.outcome !== 'healed') throw new Error(outcome.message);
  const [record] = fake.run(({ machine }) => history(machine, PLACES));
  if (record === undefined) throw new Error('there is no record of it');
  const now = fake.run(async (world) => diagnose(situationOf(await observe(world), PLACES)));
  const lines = parseLines(raw);
  return { fake, record, lines, report: reportOf(record, lines, now) };
}

/** A report as the command makes it. */
export const reportOf = (
  record: HealRecord,
  lines: readonly LogLine[],
  now: ReturnType<typeof diagnose>,
) => ({
  ...{ schema: 'heal-node.report/1', madeAt: '2026-01-02T03:04:05.678Z', version: '1.2.3', node: now.node },
  incident: incident(record, lines, PLACES.aside),
  now: { ...now, tolerance: '1' },
  recovery: undefined,
});
