import type { StepId } from '../../../src/plan/heal-steps.ts';
import { plain, tlsOff } from './kinds.ts';
import type { Kind, Refusal, Row, State, Verb } from './row.ts';
import {
  backup,
  backupHere,
  closeTls,
  compact,
  openTls,
  otherDomain,
  repair,
  repairMinorityNode,
  restart,
  restore,
  scaleIn,
  scaleOut,
  start,
  stopAndStart,
  stopAndStartAll,
  update,
  upgrade,
} from './verbs.ts';

const nothing: State = { is: 'nothing' };
const stale: State = { is: 'stale' };
const held = (before: StepId): State => ({ is: 'held', before });

/** All local is staged and the old member is listed; the new one is listed and has never run; it runs on its copy. */
const HELD = (['remove', 'start', 'verify'] as const).map(held);
const [beforeRemove, beforeStart, beforeVerify] = HELD as [State, State, State];

const on = (kind: Kind, verb: Verb, state: State, refused?: Refusal, sid = 2): Row => ({
  kind,
  verb,
  state,
  on: sid,
  ...(refused && { refused }),
});
const told = (verb: Verb, states: readonly State[], refused?: Refusal): Row[] =>
  states.map((state) => on(plain, verb, state, refused));

/** As the app's own script says it (docs/platform.md, "The app's verbs"). */
const notStarted: Refusal = { on: 'bad', codes: [1], why: 'etcd does not start on these data' };
const unitAside: Refusal = { on: 'bad', codes: [1, 5], why: 'the unit is aside' };

export const rows: readonly Row[] = [
  ...told(start, [nothing, stale, ...HELD]),
  ...told(stopAndStart, [nothing, stale, held('set-aside'), ...HELD]),
  ...told(stopAndStartAll, [nothing, stale, beforeRemove, beforeVerify]),
  ...told(restart, [nothing]),
  ...told(restart, [stale], notStarted),
  ...told(restart, HELD, unitAside),
  ...told(update, [nothing]),
  ...told(update, [stale], notStarted),
  // Where the unit is aside the app takes it for one that is not enabled, and its update does nothing (docs/platform.md):
  // the heal runs the app's start in its place.
  ...told(update, HELD),
  ...told(backup, [nothing, stale, beforeStart]),
  ...told(backupHere, [nothing]),
  ...told(backupHere, [stale], { on: 'bad', codes: [1], why: 'the data cannot be copied' }),
  ...told(backupHere, [beforeStart], unitAside),
  ...told(compact, [nothing, stale, beforeStart]),
  ...told(repairMinorityNode, [nothing, stale, beforeRemove, beforeVerify]),
  // It removes the member that the heal has just added and is about to start (docs/runbook.md, "Never").
  ...told(repairMinorityNode, [beforeStart], {
    on: 'bad',
    codes: [1, 2],
    why: 'the heal is at the same unit and member',
    orNot: true,
  }),
  ...told(upgrade, [nothing, stale, beforeRemove, beforeVerify]),
  ...told(restore, [nothing, stale]),
  ...told(restore, HELD, unitAside),
  ...told(repair, [nothing, stale]),
  ...told(repair, [beforeRemove], { on: 'all', codes: [1, 5], why: 'the unit is aside on one of them' }),
  ...told(scaleOut, [nothing]),
  ...told(scaleIn, [nothing, stale, ...HELD]),
  ...told(scaleOut, HELD),
  ...told(scaleOut, [stale], {
    on: 'spare',
    codes: [1],
    why: 'etcd adds none while a member does not serve',
  }),
  ...[nothing, stale, ...HELD, held('restore')].flatMap((state) =>
    [openTls, otherDomain, closeTls].map((verb) =>
      on(tlsOff, verb, state, state === stale ? notStarted : undefined),
    ),
  ),
];
