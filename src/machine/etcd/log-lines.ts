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

/** The lines of a log file that were written since a time: only zap writes to files, and its lines carry one. */
export function linesSince(text: string, sinceMs: number): string[] {
  const lines = text.split('\n').filter(Boolean);
  const first = lines.findIndex((line) => Date.parse(String(record(line)?.ts ?? '')) >= sinceMs);
  return first < 0 ? [] : lines.slice(first);
}
