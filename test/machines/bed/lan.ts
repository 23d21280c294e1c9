import { bedScript, inLan } from './in-lan.ts';
import { sh, shWith, trySh, until } from './sh.ts';
import type { Slot } from './slot.ts';

const PREFIX = 24;
/** The bridge's own address, which scripts beside the machines have. */
export const BRIDGE_IP = '10.77.0.1';

/** Many lines for one process of ip(8); the first that fails ends it. */
const ip = (options: readonly string[], ...lines: readonly string[]): Promise<string> =>
  shWith(lines.join('\n'), 'ip', ...options, '-batch', '-');

export const ipOf = (sid: number): string => `10.77.0.${10 + sid}`;

/** How far the machines are from each other. */
export interface Distance {
  /** Of a frame, one way. */
  readonly delayMs: number;
  readonly lossPercent: number;
}

/** The network of a slot's machines, which reaches nowhere else: a bridge, and a cable for each machine. */
export class Lan {
  /** Whether each cable ends at a bridge of its own, which a switch joins with the others' (far.ts). */
  private far = false;

  constructor(private readonly slot: Slot) {}

  async make(): Promise<void> {
    const { lan } = this.slot;
    await ip([], `netns add ${lan}`);
    const address = `addr add ${BRIDGE_IP}/${PREFIX} dev br0`;
    await ip(['-n', lan], 'link add br0 type bridge', address, 'link set br0 up', 'link set lo up');
  }

  /** Puts so many machines that far from each other. None may have its network yet. */
  async moveApart({ delayMs, lossPercent }: Distance, machines: number): Promise<void> {
    const { lan } = this.slot;
    let ready = false;
    const child = inLan(this.slot, bedScript('far.ts'), [delayMs, lossPercent, machines].map(String), () => {
      ready = true;
    });
    // It ends with the namespace (sweep.ts).
    child.catch(() => undefined);
    await until('the switch is there', async () => ready);
    const sids = Array.from({ length: machines }, (_, i) => i + 1);
    await ip(
      ['-n', lan],
      'link set t0 master br0 up',
      ...sids.flatMap((sid) => [
        `link add b${sid} type bridge`,
        `link set b${sid} up`,
        `link set t${sid} master b${sid} up`,
      ]),
    );
    this.far = true;
  }

  /** Gives a machine its network: nothing of the one that it had before its power went is left in it. */
  async plugIn(sid: number): Promise<void> {
    const { lan } = this.slot;
    const netns = this.slot.netns(sid);
    // Always the same hardware address: the others would go on asking for the old one.
    const card = `address 02:00:00:00:00:${(16 + sid).toString(16)} netns ${netns}`;
    await ip([], `netns add ${netns}`, `link add v${sid} netns ${lan} type veth peer name eth0 ${card}`);
    const address = `addr add ${ipOf(sid)}/${PREFIX} dev eth0`;
    await ip(['-n', netns], address, 'link set eth0 up', 'link set lo up');
    await ip(['-n', lan], `link set v${sid} master ${this.far ? `b${sid}` : 'br0'} up`);
  }

  /** Takes the network away, with every connection that its kernel had. */
  async unplug(sid: number): Promise<void> {
    await trySh('ip', '-n', this.slot.lan, 'link', 'del', `v${sid}`);
    await trySh('ip', 'netns', 'del', this.slot.netns(sid));
  }

  /** A machine's cable, cut or mended. */
  async cable(sid: number, state: 'down' | 'up'): Promise<void> {
    await sh('ip', '-n', this.slot.lan, 'link', 'set', `v${sid}`, state);
  }
}
