import type { Bed, BedOptions } from '../bed/bed.ts';
import type { TestMachine } from '../bed/machine.ts';

/** A cluster that stands: where rows are told. */
export interface Ground {
  readonly bed: Bed;
  /** The nodes that are members now, and vote. */
  readonly members: readonly TestMachine[];
  /** How many are listed. */
  readonly listed: number;
}

/** What a kind's founding gives besides the bed. */
export interface Founded {
  /** All machines of the bed when left out. */
  readonly members?: readonly TestMachine[];
  /** Members that do not vote: none when left out. */
  readonly learners?: readonly TestMachine[];
  /** Ends what was started beside the machines. */
  readonly end?: () => Promise<void>;
}

/** A kind of cluster. To add one is to add a value, and rows of it. */
export interface Kind {
  readonly name: string;
  readonly options: BedOptions;
  /** Makes a cluster of machines that have booted; as the app creates one when left out. */
  readonly found?: (bed: Bed) => Promise<Founded>;
}

/** A way in which members of it fail. To add one is to add a value, and rows of it. */
export interface Failure {
  readonly name: string;
  /** Breaks them; the machines are on and serve before. */
  readonly breaks: (ground: Ground, bad: readonly TestMachine[]) => Promise<void>;
  /** From here on the time counts: those that are off are switched on, when left out. */
  readonly begins?: (ground: Ground, bad: readonly TestMachine[]) => Promise<void>;
  /** The app has written the environment anew: of the originals only the unit must be as before. */
  readonly rewritesEnv?: true;
  /** No client writes meanwhile. */
  readonly inQuiet?: true;
}

/** What must come of it, each as docs/failures.md and the verdicts say. */
export type Expected =
  | { readonly is: 'healed'; readonly reason: string }
  | Refused
  /** It comes back by itself or by the action, as the member that it was. */
  | { readonly is: 'recovers' }
  /** Nothing is wrong: so many checks and diagnoses on every member find that, each within its time. */
  | { readonly is: 'healthy'; readonly checks: number; readonly diagnoses: number };

export interface Refused {
  readonly is: 'refused';
  /** The reason that `diagnose` finds, or all that it may be while etcd is on its way. */
  readonly reason: string | RegExp;
  /** How the health action may end. */
  readonly action: readonly number[];
  /** No quorum serves meanwhile. */
  readonly unserved?: true;
  /** What it may never be on the way: any other `stale` when left out. */
  readonly never?: RegExp;
  /** What the health action, or a heal that a person asks for, says. */
  readonly says?: RegExp;
  /** Brings the member back; without it the bed cannot be used any more. */
  readonly tidy?: (ground: Ground, bad: TestMachine) => Promise<void>;
  /** Brought back it has a new ID, as a heal was what it needed. */
  readonly healsThen?: true;
}

export interface Row {
  readonly kind: Kind;
  readonly failure: Failure;
  /** Which members fail, at the same time. */
  readonly on: readonly number[];
  /** Which others lose their power with them, and are back when the old IDs of those are gone. */
  readonly dead?: readonly number[];
  readonly expects: Expected;
}

export const titleOf = ({ kind, failure, on, dead = [] }: Row): string =>
  `${kind.name}: ${failure.name} (${on.map((sid) => `etcd${sid}`).join(', ')}${dead.map((sid) => `; etcd${sid} without power`).join('')})`;
