import type { StepId } from '../../plan/heal-steps.ts';
import { bringCertificates } from './effects/certificates.ts';
import { bringDataBack, setAside } from './effects/data.ts';
import { confirm, startMember, verify } from './effects/member.ts';
import { addNewMember, removeOldMember } from './effects/membership.ts';
import { fence, putUnitBack, restore, stage, unstage } from './effects/units.ts';
import type { HealContext } from './heal-context.ts';

export interface Effect {
  /** Does it; returns what was done, in a sentence. May be cut off anywhere and run again. */
  readonly act: (heal: HealContext) => Promise<string>;
  /**
   * Takes it back, where src/plan/heal-steps.ts says that it is reversible; returns what was taken back, undefined
   * where there was nothing of it.
   */
  readonly undo?: (heal: HealContext) => Promise<string | undefined>;
}

/** What each step of src/plan/heal-steps.ts does to the world. */
export const effects: Readonly<Record<StepId, Effect>> = {
  certificates: { act: bringCertificates },
  fence: { act: fence, undo: putUnitBack },
  'set-aside': { act: setAside, undo: bringDataBack },
  stage: { act: stage, undo: unstage },
  remove: { act: removeOldMember },
  add: { act: addNewMember },
  start: { act: startMember },
  verify: { act: verify },
  restore: { act: restore },
  confirm: { act: confirm },
};
