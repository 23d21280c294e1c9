/** Whether what heal-node says of arriving data is true. */

/** What the database really held. */
export interface True {
  readonly atMs: number;
  readonly bytes: number;
}

/** A line of its log with the event `progress` (src/act/heal/effects/arrival.ts). */
export interface Told {
  readonly atMs: number;
  readonly bytes: number;
  /** Of how many. */
  readonly ofBytes: number;
  readonly bytesPerSecond: number;
}

/** Clients go on writing: the rest is theirs. */
const NEARLY_ALL = 0.95;
/** It says so as often, and of that time. */
const TOLD_EVERY_MS = 5000;

const bytesAt = (arrived: readonly True[], atMs: number): number =>
  arrived.findLast((each) => each.atMs <= atMs)?.bytes ?? 0;

/** All that came, and when: from the last look before it to the first that saw nearly all of it. */
function arrivalOf(arrived: readonly True[]): { readonly bytes: number; readonly tookMs: number } {
  const bytes = Math.max(1, ...arrived.map((each) => each.bytes));
  const first = arrived.findIndex((each, at) => each.bytes > (arrived[at - 1]?.bytes ?? each.bytes));
  const beganMs = arrived[first - 1]?.atMs ?? 0;
  const endedMs = arrived.find((each) => each.bytes >= bytes * NEARLY_ALL)?.atMs ?? beganMs;
  return { bytes, tookMs: endedMs - beganMs };
}

/** MB/s; nothing where nothing came. */
export function ratesOf(arrived: readonly True[]): number[] {
  const { bytes, tookMs } = arrivalOf(arrived);
  return tookMs > 0 ? [(bytes * NEARLY_ALL) / 1000 / tookMs] : [];
}

const worst = (shares: readonly number[]): string => `${(Math.max(...shares) * 100).toFixed(0)} %`;

/** In a sentence: what arrived, what it said of it meanwhile, and how far from the truth that was. */
export function judgeProgress(arrived: readonly True[], told: readonly Told[]): string {
  const { bytes: most, tookMs } = arrivalOf(arrived);
  const came = `${(most / 1e6).toFixed(0)} MB arrived in ${(tookMs / 1000).toFixed(1)} s`;
  if (told.length === 0)
    return `${came}; heal-node logged nothing of it, which it does every ${TOLD_EVERY_MS / 1000} s.`;
  const bytes = told.map((each) => Math.abs(each.bytes - bytesAt(arrived, each.atMs)) / most);
  const whole = told.map(({ ofBytes }) => Math.abs(ofBytes - most) / most);
  const rate = told.map(({ atMs, bytesPerSecond }) => {
    const before = bytesAt(arrived, atMs - TOLD_EVERY_MS);
    const meanwhile = bytesAt(arrived, atMs) - before;
    return Math.abs((bytesPerSecond * TOLD_EVERY_MS) / 1000 - meanwhile) / most;
  });
  return `${came}; heal-node logged ${told.length} times how far it was, at most ${worst(bytes)} of the whole from the truth in what had arrived, ${worst(whole)} in how much there is, ${worst(rate)} in what came in the last ${TOLD_EVERY_MS / 1000} s.`;
}
