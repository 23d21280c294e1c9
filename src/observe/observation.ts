import type { AppView } from '../appcenter/app-view.ts';
import type { Member } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';
import type { Examination } from '../machine/etcd/examine.ts';
import type { Health } from '../machine/machine.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import type { DeepCheckResult } from '../state/deep-check-file.ts';
import type { foreignFile } from '../state/foreign-file.ts';
import type { MemberMark } from '../state/member-mark.ts';
import type { lookAtCertificates, lookAtData, lookAtSwap } from './look-at-files.ts';
import type { lookAtHost } from './look-at-host.ts';
import type { ask, lookAtProcess } from './look-at-members.ts';
import type { Stopwatch } from './timed.ts';

/** What is read on this machine's disks. */
type DiskSource = 'app' | 'config' | 'data' | 'swap';
/** Where evidence comes from. */
export type Source = DiskSource | 'unit' | 'log' | 'member' | 'process' | 'others' | 'host';

/** Something that was looked at: what it is, or why it could not be told. */
export type Fact<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

/** The settings in force against this machine as it is. */
export type HostFacts = Readonly<Awaited<ReturnType<typeof lookAtHost>>>;

/** Traces of the swap to the existing-state unit and environment, ours or a person's. */
export type SwapFacts = Readonly<Awaited<ReturnType<typeof lookAtSwap>>>;

export type Asked = Readonly<Awaited<ReturnType<typeof ask>>>;

type DifferingData = Pick<DeepCheckResult, 'atMs' | 'memberId' | 'confirmed' | 'text'>;

/** One look at the world: data only, so that everything decided from it can be decided again. */
export interface Observation {
  readonly atMs: number;
  /** When the first look of it began, on the clock that is never set. */
  readonly beganMs: number;
  readonly app: Fact<AppView>;
  readonly config: Fact<EtcdConfig>;
  readonly data: Readonly<Awaited<ReturnType<typeof lookAtData>>>;
  /**
   * The app's certificates that are missing in TLS mode; what is wrong with those that are there, where the app has given
   * its nodes other names since; and whether another of its nodes is there (its client port takes a connection). Undefined
   * without TLS, or where nothing is missing or wrong.
   */
  readonly tls: Readonly<Awaited<ReturnType<typeof lookAtCertificates>>>;
  /**
   * What was read of the data, where a process may live of its log alone; it says itself how far. Undefined when nothing
   * was: this member serves, or nobody asked.
   */
  readonly examination: Examination | undefined;
  readonly swap: SwapFacts;
  readonly unit: Fact<UnitFacts>;
  readonly copyUnit: Fact<UnitFacts>;
  /** The app's own units and verbs that nothing may be done beside, running right now. */
  readonly appBusy: readonly string[];
  /** What the newest run of the unit in force has logged in this boot. */
  readonly log: Fact<readonly string[]>;
  readonly health: Health;
  /** This member's own answer, or why it has none; undefined when it was not asked, as its settings are not known. */
  readonly self: Asked | undefined;
  readonly others: readonly Asked[];
  /** The member list that a membership call of ours returned, newer than what the others said. */
  readonly changedList: readonly Member[] | undefined;
  /** What the main process did between two moments; undefined when nothing runs, or when it answers well. */
  readonly process: Awaited<ReturnType<typeof lookAtProcess>>;
  /** Undefined when it was not looked at. */
  readonly host: Fact<HostFacts> | undefined;
  /** Who has paused heals on this node, until when and why, as a sentence; undefined when nobody has, or it is over. */
  readonly pause: string | undefined;
  /** What the last deep check wrote down of data that differ, and whether `HEAL_ON_DIVERGENCE` is `heal`. */
  readonly divergence: (DifferingData & { readonly heals: boolean }) | undefined;
  /** What this node remembers of having been a member; its birthmark is empty too where none is to be asked for. */
  readonly mark: MemberMark;
  /** A person has accepted that what this member alone has committed is lost (`heal-node adopt --discard-ahead`). */
  readonly discardAhead: { readonly memberId: string; readonly commit: string } | undefined;
  /** What the gate has noted of data that it has refused to start. */
  readonly noted: Awaited<ReturnType<typeof foreignFile.read>>;
  readonly stamps: Readonly<Stopwatch['stamps']>;
}

/** What one look is made of; each part can be looked at again alone. */
export type Part = 'files' | 'data' | 'units' | 'self' | 'cluster' | 'host';
export const ALL_PARTS: readonly Part[] = ['files', 'data', 'units', 'self', 'cluster', 'host'];
