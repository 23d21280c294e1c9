import type { Found, Goal } from '../../bench/figures.ts';
import { judgeProgress, ratesOf } from '../../bench/progress.ts';
import type { Bed } from '../bed/bed.ts';
import { Client } from '../bed/client.ts';
import type { Filling } from '../bed/fill.ts';
import { say } from '../demo/lines.ts';
import { watchArrival } from './arrival.ts';
import { fill, forMuchData, largeValues, outgrowLog, smallKeys } from './fill.ts';
import { healRounds, healRows, type Kind } from './heal-rounds.ts';
import { breakMember, healByAction, serves } from './heals.ts';
import { onBed } from './on-bed.ts';
import { part, ratio } from './part.ts';
import { lostPublications, publicationsNote } from './publications.ts';
import { ServiceMemory } from './service-memory.ts';

/** Each takes minutes at gigabytes. */
const MOST_ROUNDS = 5;
const VALUE_BYTES = 64 * 1024;

/** Does something while the heal service is watched; and the peak of its memory. */
async function withPeak<T>(bed: Bed, heal: () => Promise<T>): Promise<{ value: T; peakMiB: number[] }> {
  const memory = new ServiceMemory(bed, 2);
  try {
    return { value: await heal(), peakMiB: [memory.peak()] };
  } finally {
    memory.stop();
  }
}

/** Clients of the members that serve all along; what they feel is taken between two calls. */
function clientsOf(bed: Bed) {
  const clients = [1, 3].map(
    (sid) => new Client(bed, { to: [bed.machine(sid)], prefix: `bench/${sid}/`, pauseMs: 5 }),
  );
  return {
    began: () => Promise.all(clients.map((client) => client.writes(50))),
    longestPause: () => Math.max(...clients.map((client) => client.takeLongestPause())),
    stop: () => Promise.all(clients.map((client) => client.stop())),
  };
}

async function measure(
  filling: Filling,
  what: string,
  rounds: number,
  goals: { readonly heal: Goal; readonly wait: Goal },
): Promise<Found> {
  return onBed(forMuchData, async (bed) => {
    await breakMember(bed);
    const small = await withPeak(bed, () => healByAction(bed));
    await serves(bed);
    say(`filling the cluster with ${what} …`);
    await outgrowLog(bed);
    await fill(bed, filling);
    const clients = clientsOf(bed);
    const pauses: Record<Kind, number[]> = { ours: [], bare: [] };
    const peaks: number[] = [];
    const lost: Record<Kind, number[]> = { ours: [], bare: [] };
    try {
      await clients.began();
      const heals = await healRounds(bed, Math.min(rounds, MOST_ROUNDS), async (kind, heal) => {
        clients.longestPause();
        const beganMs = Date.now();
        const measured = kind === 'ours' ? await withPeak(bed, heal) : { value: await heal(), peakMiB: [] };
        peaks.push(...measured.peakMiB);
        pauses[kind].push(clients.longestPause());
        lost[kind].push(await lostPublications(bed, beganMs));
        return measured.value;
      });
      await breakMember(bed);
      const { arrived, told } = await watchArrival(bed.machine(2), () => healByAction(bed));
      await serves(bed);
      const longest = (kind: Kind): string => `${Math.max(...pauses[kind])} ms`;
      return {
        rows: [
          ...healRows(heals, `heal with ${what}, against the bare runbook`, goals.heal),
          {
            what: 'longest wait of a client meanwhile',
            isDetail: true,
            unit: 'ms',
            ours: pauses.ours,
            other: pauses.bare,
            goal: goals.wait,
          },
          {
            what: 'peak memory of heal-node.service, against an empty cluster',
            isDetail: true,
            unit: 'MiB',
            ours: peaks,
            other: small.peakMiB,
          },
          { what: 'rate at which the data arrived', isDetail: true, unit: 'MB/s', ours: ratesOf(arrived) },
        ],
        notes: [
          `The longest wait of a client in any heal was ${longest('ours')}, in any runbook ${longest('bare')}.`,
          publicationsNote(lost.ours, lost.bare),
          judgeProgress(arrived, told),
        ],
      };
    } finally {
      await clients.stop();
    }
  });
}

const HOW =
  'As at small data, with a client on each of the members that serve, which writes all the time: its longest wait for an acknowledgement during the heal and during the runbook. Memory is the peak of the resident set of heal-node.service (VmHWM), looked at every 50 ms. In one more heal the database, and what is on its way to become it, is measured every 250 ms beside the progress that heal-node logs. etcd makes a snapshot every 5,000 entries, so that the member that joins is sent a snapshot.';
const goals = { heal: ratio(0.95), wait: ratio(1.2) };

export const dataValues = part({
  name: 'data-values',
  what: 'A heal with large values',
  how: `Values of ${VALUE_BYTES / 1024} KiB. ${HOW}`,
  minutes: 10,
  goals,
  run: ({ rounds, megabytes }) =>
    measure(largeValues(megabytes, VALUE_BYTES), `${megabytes} MB of large values`, rounds, goals),
});

export const dataKeys = part({
  name: 'data-keys',
  what: 'A heal with many small keys',
  how: `Values of 32 bytes, each key written twice and never compacted. ${HOW}`,
  minutes: 10,
  goals,
  run: ({ rounds, keys }) =>
    measure(smallKeys(0, keys), `${keys.toLocaleString('en')} small keys`, rounds, goals),
});
