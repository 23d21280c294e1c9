import type { HealRecord } from '../state/heal-record.ts';
import { fillIn, inWords } from './fill-in.ts';
import { type LogLine, linesOfHeal } from './read-log.ts';
import texts from './texts.json';
import { durationText } from './timeline.ts';

/** Events of the log that are described, by a name for people. */
const names: Readonly<Record<string, string>> = texts.events;

export type Incident = Readonly<ReturnType<typeof incident>>;

/** The members of a list, one of them as that which has changed. */
const marked = (members: HealRecord['membersBefore'], changedId: string) =>
  members.map((member) => ({ ...member, changed: member.id === changedId }));

/**
 * A heal and what led to it, as it is described: from its record, from the log, and from nothing else.
 * What was logged stays as it was, for `render` to retell.
 * @param aside where data are set aside
 */
export function incident(record: HealRecord, log: readonly LogLine[], aside: string) {
  const { servedBefore, longestRead, membersBefore, membersAfter, steps, schema: _, ...rest } = record;
  const lines = linesOfHeal(log, record.id);
  const found = lines.findLast(({ evidence, event }) => event === 'verdict' && evidence.length > 0);
  const isFirst = ({ event, msg }: LogLine, at: number): boolean =>
    at === lines.findIndex((other) => other.event === event && other.msg === msg);
  const events = lines.filter((line, at) => names[line.event] && isFirst(line, at));
  const commands = lines.filter(({ event }) => event === 'command');
  const shown = lines.filter(({ level }) => level !== 'debug');
  /** When a step had been done, in milliseconds since the epoch; NaN where it was cut off, or not taken. */
  const doneMs = (id: string): number => {
    const step = steps.findLast((each) => each.id === id && each.did !== undefined);
    return Date.parse(step?.startedAt ?? '') + (step?.durationMs ?? 0);
  };
  const firstAt = events[0]?.time ?? record.startedAt;
  const shortMs = doneMs('add') - doneMs('remove');
  const facts = {
    ...{ ...rest, firstAt, longestRead, finding: found?.msg, logGone: lines.length === 0 },
    ...{ steps: steps.length, commands: commands.length },
    ...{ serving: servedBefore.length, members: membersBefore.length },
    [record.outcome ?? 'unfinished']: true,
    servesAgain: doneMs('verify') > 0,
    downFor: durationText(doneMs('verify') - Date.parse(firstAt)),
    shortFor: shortMs >= 0 && durationText(shortMs),
    took: durationText(longestRead?.tookMs ?? 0),
    tolerance: servedBefore.length - (Math.floor(membersBefore.length / 2) + 1),
    setAside: record.outcome === 'healed' && doneMs('set-aside') > 0 && `${aside}/${record.id}`,
  };
  /** A bar of the drawing; none where nobody knows how long it was. */
  const bar = (label: string, fromMs: number, durationMs: number) =>
    durationMs >= 0 ? [{ label: inWords(label), at: new Date(fromMs).toISOString(), durationMs }] : [];
  const filled = (text: string): string => fillIn([text], facts).join(' ');
  const beganMs = Date.parse(record.startedAt);
  return {
    ...rest,
    summary: fillIn(texts.summary, facts),
    impact: texts.impact.map(({ what, value }) => ({ what: inWords(what), value: filled(value) })),
    evidence: found?.evidence ?? [],
    events: events.map(({ time: at, event, verdict, caller, msg }) => {
      return { at, label: fillIn([names[event] ?? ''], { verdict }).join(''), caller, msg };
    }),
    steps: steps.map(({ id, startedAt, durationMs, did }) => ({ label: id, at: startedAt, durationMs, did })),
    whole: bar('heal', beganMs, Date.parse(record.endedAt ?? '') - beganMs),
    shorter: bar('list one shorter', doneMs('remove'), shortMs),
    membersBefore: marked(membersBefore, record.oldMemberId),
    membersAfter: marked(membersAfter, record.newMemberId),
    commands: commands.map(({ at, command, result, durationMs }) => ({ at, command, result, durationMs })),
    log: shown.map(({ time, level, caller, msg }) => `${time} ${level} ${caller}: ${msg}`),
    actions: fillIn(texts.actions, facts),
  };
}
