import { type Release, takeLock } from './lock.ts';
import { sleep } from './sh.ts';

/** How many beds fit on one host at the same time, whoever runs them. */
const SLOTS = 8;

/** A place for one bed: all its names on the host have the slot's number in them, so that beds do not meet. */
export interface Slot {
  readonly number: number;
  /** Its folder, a tmpfs while a bed stands. */
  readonly dir: string;
  /** The network namespace of the bridge that its machines are plugged into. */
  readonly lan: string;
  /** The network namespace of a machine. */
  readonly netns: (sid: number) => string;
  /** What its control groups are called; those of its machines have the SID behind it. */
  readonly group: string;
}

const slotAt = (number: number): Slot => ({
  number,
  dir: `/run/heal-node-bed-${number}`,
  lan: `hn${number}-lan`,
  netns: (sid) => `hn${number}-${sid}`,
  group: `heal-node-bed-${number}`,
});

export const slots: readonly Slot[] = Array.from({ length: SLOTS }, (_, number) => slotAt(number));

/** Takes a slot's lock where nobody holds it; undefined where somebody does. */
export const tryLock = (slot: Slot): Promise<Release | undefined> =>
  takeLock(`/run/lock/heal-node-bed-${slot.number}`, false);

/** Takes the first slot that is free, and waits until one is. */
export async function takeSlot(
  tell: (line: string) => void,
): Promise<{ readonly slot: Slot; readonly release: Release }> {
  for (let told = false; ; told = true) {
    for (const slot of slots) {
      const release = await tryLock(slot);
      if (release) return { slot, release };
    }
    if (!told) tell(`All ${SLOTS} beds of this machine are in use; waiting for one …`);
    await sleep(500);
  }
}
