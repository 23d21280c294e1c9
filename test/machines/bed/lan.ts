import { sh, trySh } from './sh.ts';
import type { Slot } from './slot.ts';

const PREFIX = 24;
/** The bridge's own address, which scripts beside the machines have. */
const BRIDGE_IP = '10.77.0.1';

export const ipOf = (sid: number): string => `10.77.0.${10 + sid}`;

/** The network of a slot's machines, which reaches nowhere else: a bridge, and a cable for each machine. */
export class Lan {
  constructor(private readonly slot: Slot) {}

  async make(): Promise<void> {
    const { lan } = this.slot;
    await sh('ip', 'netns', 'add', lan);
    await sh('ip', '-n', lan, 'link', 'add', 'br0', 'type', 'bridge');
    await sh('ip', '-n', lan, 'addr', 'add', `${BRIDGE_IP}/${PREFIX}`, 'dev', 'br0');
    await sh('ip', '-n', lan, 'link', 'set', 'br0', 'up');
    await sh('ip', '-n', lan, 'link', 'set', 'lo', 'up');
  }

  /** Gives a machine its network: nothing of the one that it had before its power went is left in it. */
  async plugIn(sid: number): Promise<void> {
    const { lan } = this.slot;
    const netns = this.slot.netns(sid);
    await sh('ip', 'netns', 'add', netns);
    // Always the same hardware address: the others would go on asking for the old one.
    const card = ['address', `02:00:00:00:00:${(16 + sid).toString(16)}`, 'netns', netns];
    const cable = ['link', 'add', `v${sid}`, 'netns', lan, 'type', 'veth', 'peer', 'name', 'eth0', ...card];
    await sh('ip', ...cable);
    await sh('ip', '-n', netns, 'addr', 'add', `${ipOf(sid)}/${PREFIX}`, 'dev', 'eth0');
    await sh('ip', '-n', netns, 'link', 'set', 'eth0', 'up');
    await sh('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    await sh('ip', '-n', lan, 'link', 'set', `v${sid}`, 'master', 'br0', 'up');
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
