import { HOOK_LIMIT_MS, HOOKS, type TestMachine } from './machine.ts';
import { sleep } from './sh.ts';

export interface PlatformEvent {
  readonly atMs: number;
  readonly machine: TestMachine;
  readonly kind: 'check' | 'action';
  readonly code: number;
  /** The platform killed it at its limit. */
  readonly overdue: boolean;
  readonly output: string;
  readonly tookMs: number;
}

/** `cluster.json` today (docs/platform.md): time between checks, and how many failures call the action. */
export const INTERVAL_MS = 60_000;
export const UNHEALTHY_THRESHOLD = 2;

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

  /** Hooks that the platform had to kill: there may never be one. */
  overdue(): PlatformEvent[] {
    return this.events.filter(({ overdue }) => overdue);
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
      const healthy = (await this.call(machine, 'check')) === 0;
      failures = healthy ? 0 : failures + 1;
      if (failures >= UNHEALTHY_THRESHOLD && machine.isOn && this.going) await this.call(machine, 'action');
    }
  }

  private async call(machine: TestMachine, kind: PlatformEvent['kind']): Promise<number> {
    const atMs = Date.now();
    const hook = `health-${kind}` as const;
    const {
      code = 137,
      stdout,
      stderr,
      tookMs,
      overdue,
    } = await machine.runFor(HOOK_LIMIT_MS[hook], `${HOOKS}/${hook}`);
    const event = { atMs, machine, kind, code, overdue, output: (stdout || stderr).trim(), tookMs };
    this.events.push(event);
    this.options.onEvent?.(event);
    return code;
  }
}
