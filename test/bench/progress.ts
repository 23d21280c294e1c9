/** Whether what heal-node says of arriving data is true. */

/** Clients go on writing: the rest is theirs. */
const NEARLY_ALL = 0.95;

/** What the database really held. */
export interface True {
  readonly atMs: number;
  readonly bytes: number;
}

/** What heal-node has said: a line of its log, or what its `status` shows of the heal. */
export interface Told {
  readonly atMs: number;
  readonly source: 'log' | 'status';
  readonly fields: Readonly<Record<string, unknown>>;
}

const WANTED = {
  bytes: /bytes/i,
  rate: /rate|per.?s/i,
  'what is left': /left|remaining|eta/i,
} as const;

/** Numbers in what was said, by their names, also in values of values. */
const numbers = (fields: object): (readonly [name: string, value: number])[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : typeof value === 'object' && value !== null
        ? numbers(value)
        : [],
  );

const bytesAt = (arrived: readonly True[], atMs: number): number =>
  arrived.findLast((each) => each.atMs <= atMs)?.bytes ?? 0;

/** In sentences: what it said of the data while they arrived, how far from the truth that was, and what it did not say. */
export function judgeProgress(arrived: readonly True[], told: readonly Told[]): string[] {
  const most = Math.max(0, ...arrived.map(({ bytes }) => bytes));
  const beganMs = arrived.find(({ bytes }, at) => bytes > (arrived[at - 1]?.bytes ?? bytes))?.atMs ?? 0;
  const endedMs = arrived.find(({ bytes }) => bytes >= most * NEARLY_ALL)?.atMs ?? 0;
  const meanwhile = told.filter(({ atMs }) => atMs >= beganMs && atMs <= endedMs);
  const arrivedText = `${(most / 1e6).toFixed(0)} MB arrived in ${((endedMs - beganMs) / 1000).toFixed(1)} s`;
  return (['log', 'status'] as const).map((source) => {
    const said = meanwhile.filter((each) => each.source === source);
    const missing = Object.entries(WANTED).filter(
      ([, name]) => !said.some(({ fields }) => numbers(fields).some(([key]) => name.test(key))),
    );
    const what = source === 'log' ? 'heal-node logged' : 'its status showed the heal';
    const times = `${arrivedText}; meanwhile ${what} ${said.length} times`;
    const bytes = said.flatMap(({ atMs, fields }) =>
      numbers(fields)
        .filter(([key]) => WANTED.bytes.test(key))
        .map(([, value]) => Math.abs(value - bytesAt(arrived, atMs)) / Math.max(1, most)),
    );
    const error =
      bytes.length > 0
        ? `, with bytes that were at most ${(Math.max(...bytes) * 100).toFixed(0)} % of the whole from the truth`
        : '';
    const lacks = missing.length > 0 ? `; never: ${missing.map(([name]) => name).join(', ')}` : '';
    return `${times}${error}${lacks}.`;
  });
}
