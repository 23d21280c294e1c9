import { attempt } from '../attempt.ts';
import { run } from '../os/run.ts';
import type { UnitFacts } from './systemctl.ts';

/** An entry as `journalctl --output=json` prints it (systemd.journal-fields(7)): a text that is not one is bytes. */
type Entry = Readonly<Record<string, unknown>>;

/** capnslog's levels by the priority that it gives journald (capnslog/journald_formatter.go). */
const LEVELS = ['C', 'C', 'C', 'E', 'W', 'N', 'I', 'D'];

const textOf = (field: unknown): string =>
  Array.isArray(field) ? Buffer.from(field as number[]).toString() : String(field ?? '');

/**
 * etcd hands its log to journald entry by entry where systemd starts it: capnslog then prints neither time nor level
 * nor package, and a text of several lines, which a client may have sent, is one entry. It becomes one line, as
 * capnslog prints it elsewhere.
 */
function nativeLine({ MESSAGE, PRIORITY, PACKAGE, __REALTIME_TIMESTAMP }: Entry): string {
  const text = textOf(MESSAGE).replaceAll('\n', '\\n');
  if (PACKAGE === undefined) return text;
  const time = new Date(Number(__REALTIME_TIMESTAMP) / 1000).toISOString().slice(0, -1).replace('T', ' ');
  return `${time} ${LEVELS[Number(PRIORITY)] ?? 'I'} | ${textOf(PACKAGE)}: ${text}`;
}

/** Lines of standard streams; a long one, which journald has cut, is one line: a client may choose where it is cut. */
function streamLines(entries: readonly Entry[]): string[] {
  const lines: string[] = [];
  let goesOn = false;
  for (const { MESSAGE, _LINE_BREAK } of entries) {
    const text = textOf(MESSAGE);
    if (goesOn) lines.push(`${lines.pop()}${text}`);
    else lines.push(text);
    // The next entry of the stream goes on with the same line (journald.conf(5), LineMax=).
    goesOn = _LINE_BREAK === 'line-max';
  }
  return lines;
}

/**
 * The lines of entries, the newest of which comes first. What came through etcd's standard streams stands at the end,
 * as Go's report of a panic does: journald orders the two ways by when it has read them.
 */
export function linesOf(newestFirst: string): string[] {
  // Where there was too much, the last one that was read is none.
  const entryOf = (line: string): Entry | undefined => attempt(() => JSON.parse(line));
  const oldestFirst = newestFirst.split('\n').reverse();
  const entries = oldestFirst.map(entryOf).filter((entry) => !!entry);
  const isNative = ({ _TRANSPORT }: Entry): boolean => _TRANSPORT === 'journal';
  const streamed = entries.filter((entry) => !isNative(entry));
  return [...entries.filter(isNative).map(nativeLine), ...streamLines(streamed)];
}

/** An entry of a short line takes about 1 KiB with all its fields. */
const MAX_CHARS = 16 << 20;

/**
 * The last lines that a unit's newest run has logged in this boot: many times what Go prints of a panic, which is one
 * goroutine of 100 frames at most (runtime/traceback.go). They are read from the newest back, so that what clients
 * made etcd log before does not push them out.
 *
 * They are found by invocation ID, and by the PID of its main process too: journald may meet a line only after
 * the process is gone, and then does not know its unit any more. Before systemd 232 there is no invocation ID;
 * the PID and the time of the start stand in for it.
 * @throws when journalctl fails.
 */
export async function journalOf(unit: UnitFacts): Promise<string[]> {
  const pid = unit.mainPid || unit.exitPid;
  const fields = [unit.invocationId && `_SYSTEMD_INVOCATION_ID=${unit.invocationId}`, pid && `_PID=${pid}`];
  const match = fields.filter(Boolean).join(' + ');
  if (match === '') return [];
  const since = unit.startedAtSec === 0 ? [] : [`--since=@${unit.startedAtSec}`];
  const flags = ['--boot', '--no-pager', '--output=json', '--all', '--reverse', '--lines=1000'];
  const argv = ['journalctl', ...flags, ...since, ...match.split(' ')];
  const { stdout, failure, tooMuch } = await run(argv, { timeoutMs: 2000, maxChars: MAX_CHARS });
  if (failure !== undefined && !tooMuch) throw new Error(`journalctl: ${failure}`);
  return linesOf(stdout);
}
