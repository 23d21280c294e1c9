/** What the steps of the heal do, in their order; the table is src/plan/heal-steps.ts. */
export { bringDataBack, setAside } from './effects/data.ts';
export { confirm, startMember, verify } from './effects/member.ts';
export { addNewMember, removeOldMember } from './effects/membership.ts';
export { fence, putUnitBack, restore, stage, unstage } from './effects/units.ts';
