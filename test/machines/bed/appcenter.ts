import type { TestMachine } from './machine.ts';
import { sleep } from './sh.ts';

export interface PlatformEvent {
  readonly atMs: number;
  readonly machine: TestMachine;
  readonly kind: 'check' | 'action';
  /** The exit code; 137 when the platform killed it at its limit. */
  readonly code: number;
  readonly output: string;
  readonly tookMs: number;
}

const BIN = '/opt/heal-node/bin';
/** `cluster.json` today (docs/platform.md): seconds between checks, limits, thresholds. */
const INTERVAL_MS = 60_000;
const CHECK_LIMIT_MS = 10_000;
const ACTION_LIMIT_MS = 60_000;
const UNHEALTHY_THRESHOLD = 2;

/**
 * A stand-in for AppCenter: calls the check of every node at its interval, and the action after two failures and
 * again at every further one. The interval is divided by `speedup`; the limits are kills, and stay as they are.
 */
export class AppCenter {
  readonly events: PlatformEvent[] = [];
  private going = true;
  private readonly loops: Promise<void>[];

  constructor(
    machines: readonly TestMachine[],
    private readonly options: { readonly speedup: number; readonly onEvent?: (event: PlatformEvent) => void },
  ) {
    this.loops = machines.map((machine) => this.watch(machine));
  }

  /** Ends after what is running has ended. */
  async stop(): Promise<void> {
    this.going = false;
    await Promise.all(this.loops);
  }

  actionsOn(machine: TestMachine): PlatformEvent[] {
    return this.events.filter((event) => event.machine === machine && event.kind === 'action');
  }

  private async watch(machine: TestMachine): Promise<void> {
    let failures = 0;
    while (this.going) {
      await sleep(INTERVAL_MS / this.options.speedup);
      if (!this.going || !machine.isOn) continue;
      const healthy = (await this.call(machine, 'check', CHECK_LIMIT_MS)) === 0;
      failures = healthy ? 0 : failures + 1;
      if (failures >= UNHEALTHY_THRESHOLD && machine.isOn && this.going)
        await this.call(machine, 'action', ACTION_LIMIT_MS);
    }
  }

  private async call(machine: TestMachine, kind: PlatformEvent['kind'], limitMs: number): Promise<number> {
    const atMs = Date.now();
    const { code = 137, stdout, stderr } = await machine.runFor(limitMs, `${BIN}/health-${kind}`);
    const event = { atMs, machine, kind, code, output: (stdout || stderr).trim(), tookMs: Date.now() - atMs };
    this.events.push(event);
    this.options.onEvent?.(event);
    return code;
  }
}
