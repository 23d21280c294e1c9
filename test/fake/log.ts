import type { Alarm, LeasedValue, Member } from '../../src/cluster/cluster.ts';

/** What applying all entries up to one gives. Never changed: a change makes a new one. */
export interface State {
  readonly members: readonly Member[];
  /** IDs that were members once: whoever comes as one of them is told so. */
  readonly removed: readonly string[];
  readonly keys: ReadonlyMap<string, LeasedValue>;
  /** Until when each lease holds; a renewal is the leader's matter, and no entry. */
  readonly leases: ReadonlyMap<string, { untilMs: number }>;
  readonly alarms: readonly Alarm[];
  /** What the client wrote last. */
  readonly written: number;
  readonly revision: bigint;
}

/**
 * One entry of a raft log. A log is known by its last entry, since each knows the one before it: two logs that share
 * an entry share all before it.
 */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly before: Entry | undefined;
  readonly state: State;
}

/** Where every log begins. */
export const ORIGIN: Entry = {
  index: 0,
  term: 0,
  before: undefined,
  state: {
    members: [],
    removed: [],
    keys: new Map(),
    leases: new Map(),
    alarms: [],
    written: 0,
    revision: 1n,
  },
};

export const append = (last: Entry, term: number, state: State): Entry => ({
  index: last.index + 1,
  term,
  before: last,
  state,
});

/** The entry of a log at an index, its last one where it is shorter. */
export function at(last: Entry, index: number): Entry {
  let entry = last;
  while (entry.index > index && entry.before) entry = entry.before;
  return entry;
}

export const holds = (last: Entry, entry: Entry): boolean =>
  last.index >= entry.index && at(last, entry.index) === entry;

/** Raft's rule for a vote: the candidate's log ends no earlier (raft/log.go, isUpToDate). */
export const upToDate = (candidate: Entry, voter: Entry): boolean =>
  candidate.term > voter.term || (candidate.term === voter.term && candidate.index >= voter.index);

/** How data were harmed, and what etcd says of it. */
export type Harm =
  | 'crc mismatch'
  | 'garbled record'
  | 'WAL file missing'
  | 'database invalid'
  | 'database cut short';

/** What stands in a data dir: whose it is, and how far it reaches. */
export interface Data {
  memberId: string;
  clusterId: string;
  term: number;
  last: Entry;
  committed: Entry;
  harm?: Harm;
  /** Its keys differ from what its log says, as after etcd #14571. */
  taint?: string;
  /** Its log is cut: its database has applied up to here. */
  short?: number | undefined;
  /** It is an older copy: it lacks entries that this member has acknowledged. */
  older?: boolean;
}

/** The same with so many entries more, all committed. */
export function ahead(data: Data, entries: number): Data {
  let { last } = data;
  for (let n = 0; n < entries; n++) last = append(last, data.term, last.state);
  return { ...data, last, committed: last };
}

/** A copy that goes on its own. */
export const copyOf = (data: Data, changes: Partial<Data> = {}): Data => ({ ...data, ...changes });
