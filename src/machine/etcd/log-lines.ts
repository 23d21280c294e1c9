/** Fields of a zap line that say nothing of what happened. */
const ASIDE = new Set(['level', 'ts', 'caller', 'msg', 'stacktrace', 'logger']);
const MAX_LINE_CHARS = 16_384;

const record = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

/**
 * One line of etcd's log as text, whichever of its two formats it has: capnslog's is text already, zap's (the only
 * one since 3.5, `ETCD_LOGGER=zap` in 3.4) is JSON and becomes `message key=value …`.
 */
export function plainLine(line: string): string {
  const short = line.slice(0, MAX_LINE_CHARS);
  const fields = record(short);
  if (fields === undefined) return short;
  const rest = Object.entries(fields)
    .filter(([key]) => !ASIDE.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [fields.msg, ...rest].join(' ');
}

/** capnslog's `TIME LEVEL | PACKAGE: text`, and Go's own logger, which raft has in 3.4: `raftTIME text`. */
const CAPNSLOG = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([A-Z]) \| ([\w/.-]+): /;
const RAFT = /^raft\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /;

/**
 * Whether a line has the form in which etcd itself says why it ends: of the highest level, or of its main program; or
 * Go's report of a panic. What a client sends can stand in other lines, and in these only within the text that etcd
 * has begun.
 */
export function isLastWord(line: string): boolean {
  if (line.startsWith('panic: ') || RAFT.test(line)) return true;
  const [, level, from] = CAPNSLOG.exec(line) ?? [];
  if (level !== undefined) return level === 'C' || (level === 'E' && /^etcd(main|server)$/.test(from ?? ''));
  const fields = record(line.slice(0, MAX_LINE_CHARS));
  return (
    fields !== undefined &&
    (['fatal', 'panic'].includes(String(fields.level)) || String(fields.caller).startsWith('etcdmain/'))
  );
}

/** The lines of a log file that were written since a time: only zap writes to files, and its lines carry one. */
export function linesSince(text: string, sinceMs: number): string[] {
  const lines = text.split('\n').filter(Boolean);
  const first = lines.findIndex((line) => Date.parse(String(record(line)?.ts ?? '')) >= sinceMs);
  return first < 0 ? [] : lines.slice(first);
}
