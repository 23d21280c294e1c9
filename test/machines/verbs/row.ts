import type { StepId } from '../../../src/plan/heal-steps.ts';
import type { AppCenter } from '../bed/appcenter.ts';
import type { Bed, BedOptions } from '../bed/bed.ts';
import type { Ran, TestMachine } from '../bed/machine.ts';

/** A cluster that stands: where rows are told. */
export interface Ground {
  readonly bed: Bed;
  /** The nodes that are members now. */
  nodes: TestMachine[];
  /** Ends what was started beside the machines. */
  readonly end: () => Promise<void>;
}

/** What a verb meets. */
export interface Scene {
  readonly ground: Ground;
  readonly bed: Bed;
  /** The nodes that were members when the row began. */
  readonly nodes: readonly TestMachine[];
  /** The node that something happens to. */
  readonly bad: TestMachine;
  readonly others: readonly TestMachine[];
  readonly platform: AppCenter;
  /** The client stops to write, and all that serve have what it has written. */
  readonly quiet: () => Promise<void>;
}

/** One call of a verb on one node, and how it ended. */
export interface Call {
  readonly on: TestMachine;
  readonly ran: Ran;
}

/** To add one is to add a value, and rows of it. */
export interface Verb {
  readonly name: string;
  /** Makes the cluster one that it can be called on. */
  readonly before?: (ground: Ground) => Promise<void>;
  /** Calls it as the platform, confd or a person does, on all the nodes that it is for, and waits for all to end. */
  readonly call: (scene: Scene) => Promise<readonly Call[]>;
  /** What of it has not come about when all members are whole again; empty when all has. */
  readonly lost?: (scene: Scene) => Promise<string>;
  /** It makes every member anew. */
  readonly rebuilds?: true;
}

/** What is under way on a node when the verb comes. */
export type State =
  | { readonly is: 'nothing' }
  /** Its data are damaged, and nobody has called the health action yet. */
  | { readonly is: 'stale' }
  /** A heal stands still right before the effect of a step, and goes on some seconds after the verb has begun. */
  | { readonly is: 'held'; readonly before: StepId };

/** A cluster to tell rows on. */
export interface Kind {
  readonly name: string;
  readonly options: BedOptions;
  /** Makes a cluster of machines that have booted. */
  readonly found: (bed: Bed) => Promise<Ground>;
}

/** How the app refuses, and on which node. */
export interface Refusal {
  readonly on: 'bad' | 'all' | 'spare';
  readonly codes: readonly number[];
  readonly why: string;
  /** Or it succeeds: both are at the same thing, and it is chance who is first. */
  readonly orNot?: true;
}

export interface Row {
  readonly kind: Kind;
  readonly verb: Verb;
  readonly state: State;
  readonly on: number;
  /** It cannot do its work then, says so in its own way, and does it when it is called again. */
  readonly refused?: Refusal;
}

export const stateText = (state: State): string =>
  ({ nothing: 'nothing', stale: 'a stale member', held: 'a heal, held before' })[state.is] +
  (state.is === 'held' ? ` ${state.before}` : '');

export const titleOf = ({ kind, verb, state, on }: Row): string =>
  `${kind.name}: ${verb.name}, ${stateText(state)} (etcd${on})`;
