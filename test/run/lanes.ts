/** Measured on 2 cores: scenarios wait most of their time. More machines than these would exhaust inotify(7). */
const USUAL = 5;
export const MOST = 6;
const LEAST = 2;
/**
 * What a machine on which `USUAL` lanes work takes, at most, to start and end two processes. On one that took 8.5 ms five
 * lanes made it 300: etcd and systemd no longer answered in the time that the product gives them, and a run of ten minutes
 * failed after an hour. With two lanes it was 30 to 65 ms there, and all passed.
 */
const FAST_MS = 4.5;
const SAMPLES = 21;

async function startTwo(): Promise<number> {
  const beganMs = performance.now();
  await Bun.spawn(['/bin/sh', '-c', '/bin/true; /bin/true']).exited;
  return performance.now() - beganMs;
}

/** How many scenarios may be under way on a machine that takes so long for two processes. */
export const lanesFor = (tookMs: number): number =>
  Math.min(USUAL, Math.max(LEAST, Math.floor((USUAL * FAST_MS) / tookMs)));

/** How many scenarios may be under way on this machine, idle now; says so where they are fewer than usual. */
export async function lanesHere(tell: (sentence: string) => void): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < SAMPLES; i++) took.push(await startTwo());
  const median = took.sort((a, b) => a - b)[SAMPLES >> 1] ?? FAST_MS;
  const lanes = lanesFor(median);
  if (lanes < USUAL)
    tell(
      `This machine takes ${median.toFixed(1)} ms for two processes: ${lanes} scenarios at once, not ${USUAL}.`,
    );
  return lanes;
}
