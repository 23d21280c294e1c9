import { setTimeout as sleep } from 'node:timers/promises';

/** So many scenarios are under way however busy the machine is. */
const LEAST = 2;
/**
 * How long two processes one after the other may take to start and end. Where they take 300 ms, as five lanes made it on a
 * machine that takes 9 ms for them when it is idle, etcd and systemd no longer answer in the time that the product gives
 * them; with two lanes it was 30 to 65 ms, and all passed.
 */
const BUSY_MS = 50;
/** One that has just begun boots machines: what that does to the rest is waited for, seconds, before another begins. */
const SAMPLES = 15;
const EVERY_MS = 1000;

async function startAProcess(): Promise<number> {
  const beganMs = performance.now();
  await Bun.spawn(['/bin/sh', '-c', '/bin/true; /bin/true']).exited;
  return performance.now() - beganMs;
}

/** How many lanes may work at the same time: as many as there are, as long as the machine is not too busy for one more. */
export class Pace {
  private took: number[] = [];
  private told = false;
  private ended = false;

  constructor(
    private readonly tell: (sentence: string) => void,
    private readonly sample = startAProcess,
    private readonly everyMs = EVERY_MS,
  ) {}

  /** Looks how busy the machine is, until `end`. */
  async watch(): Promise<void> {
    while (!this.ended) {
      this.took.push(await this.sample());
      await sleep(this.everyMs);
    }
  }

  end(): void {
    this.ended = true;
  }

  /** Waits until a lane, counted from 0, may begin another job, or `isOver`. */
  async admits(lane: number, isOver: () => boolean): Promise<void> {
    while (lane >= LEAST && !isOver()) {
      const last = this.took.slice(-SAMPLES);
      const meanMs = last.reduce((sum, ms) => sum + ms, 0) / SAMPLES;
      if (last.length === SAMPLES && meanMs < BUSY_MS) {
        this.took = [];
        return;
      }
      if (last.length === SAMPLES && !this.told) {
        this.told = true;
        this.tell(
          `Two processes take ${Math.round(meanMs)} ms: fewer scenarios are under way at once until they take less than ${BUSY_MS} ms.`,
        );
      }
      await sleep(this.everyMs / 4);
    }
  }
}
