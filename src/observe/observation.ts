import type { AppView } from '../appcenter/app-view.ts';
import type { Member, MemberReply } from '../cluster/cluster.ts';
import type { EtcdConfig } from '../machine/etcd/etcd-config.ts';
import type { Examination } from '../machine/etcd/examination.ts';
import type { Health, PathKind } from '../machine/machine.ts';
import type { Listener, Reach } from '../machine/os/network.ts';
import type { UnitFacts } from '../machine/systemd/systemctl.ts';
import type { MemberMark } from '../state/member-mark.ts';

/** Where evidence comes from. */
export type Source =
  | 'app'
  | 'config'
  | 'data'
  | 'swap'
  | 'unit'
  | 'log'
  | 'member'
  | 'process'
  | 'others'
  | 'host';

/** When a source was asked, and how long it took. */
export interface Stamp {
  readonly atMs: number;
  readonly tookMs: number;
}

/** Something that was looked at: what it is, or why it could not be told. */
export type Fact<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export interface DataFacts {
  /** What stands at the data dir's path. */
  readonly dir: PathKind;
  /** What stands at a separate WAL dir's path; `none` without one. */
  readonly walDir: PathKind;
  /**
   * none: no write-ahead log; founding: one of a cluster that has never served a write; data: more than that, whole or
   * not; unknown: no settings say where it is, or it could not be looked at.
   */
  readonly kind: 'unknown' | 'none' | 'founding' | 'data';
  /** The log has an entry of an elected leader's. */
  readonly elected: boolean;
  /** Why it is unknown; empty otherwise. */
  readonly why: string;
  /** There is something in the data dir, whatever it is. */
  readonly occupied: boolean;
  /** Whose data these are, as the log says; empty when that is not known. */
  readonly memberId: string;
  readonly clusterId: string;
}

/** What the main process did between two moments. */
export interface ProcessFacts {
  /** Its state at the end (proc(5)). */
  readonly state: string;
  readonly overMs: number;
  /** CPU ticks and bytes of I/O in between. */
  readonly cpuTicks: number;
  readonly ioBytes: number;
}

/** The settings in force against this machine as it is. */
export interface HostFacts {
  readonly freeBytes: number;
  readonly freeInodes: number;
  /** Hosts that etcd is told to listen on and this machine does not have. */
  readonly missingAddresses: readonly string[];
  /** Processes that listen on its ports and are etcd, beside the one that systemd knows. */
  readonly strayEtcds: readonly Listener[];
  /** Others than etcd itself that listen on its ports. */
  readonly portConflicts: readonly Listener[];
  /** Files that etcd's user cannot use, with the reason: of the data, which a heal sets aside, and certificates. */
  readonly unusableData: readonly string[];
  readonly unusable: readonly string[];
  readonly certificateFaults: readonly string[];
  /** The version of the etcd that the unit starts; empty when it could not be asked. */
  readonly etcdVersion: string;
  /** The data disk is not mounted: what stands in its place is on the root disk. What was found, as a sentence. */
  readonly diskNotMounted: string;
  readonly linkUp: boolean;
  /** The others' peer URLs: whether a connection can be made, and whether that machine is there on the link. */
  readonly peers: readonly { readonly url: string; readonly reach: Reach; readonly neighbour: boolean }[];
}

/** What the last deep check found (src/act/deep-check.ts). */
export interface Divergence {
  readonly atMs: number;
  /** Whose data differ: those of a new member are others. */
  readonly memberId: string;
  /** This member alone differs from all others, twice. */
  readonly confirmed: boolean;
  readonly text: string;
  /** `HEAL_ON_DIVERGENCE=heal`. */
  readonly heals: boolean;
}

/** Traces of the swap to the existing-state unit and environment, ours or a person's. */
export interface SwapFacts {
  readonly unitFile: PathKind;
  readonly copyUnitFile: PathKind;
  readonly copyEnv: boolean;
  readonly copyDropIns: boolean;
  /** The unit under the original's name still reads the copied environment: a runbook stopped on its way back. */
  readonly pointsAway: boolean;
  /** Originals are saved in root's own directory. */
  readonly originals: boolean;
  /** When a file of the swap was last changed, renamed or touched; undefined when none is there. */
  readonly changedMs: number | undefined;
  /** What the existing-state environment says, where it is there and the copied unit reads it. */
  readonly staged:
    | {
        readonly state: string;
        readonly initialCluster: string;
        /** The original has the same values but for those two; true where there is none to compare with. */
        readonly asOriginal: boolean;
      }
    | undefined;
}

export interface Asked {
  readonly endpoint: string;
  readonly reply: Fact<MemberReply>;
  readonly tookMs: number;
}

/** One look at the world: data only, so that everything decided from it can be decided again. */
export interface Observation {
  readonly atMs: number;
  /** When the first look of it began, on the clock that is never set. */
  readonly beganMs: number;
  readonly app: Fact<AppView>;
  readonly config: Fact<EtcdConfig>;
  readonly data: DataFacts;
  /**
   * The app's certificates that are missing in TLS mode, and whether another of its nodes is there (its client port
   * takes a connection); undefined without TLS, or where none is missing.
   */
  readonly tls: { readonly missing: readonly string[]; readonly othersThere: boolean } | undefined;
  /** All of the data, read to the end; undefined when that was not done: this member serves, or nobody asked. */
  readonly examination: Examination | undefined;
  readonly swap: SwapFacts;
  readonly unit: Fact<UnitFacts>;
  readonly copyUnit: Fact<UnitFacts>;
  /** The app's own units and verbs that nothing may be done beside, running right now. */
  readonly appBusy: readonly string[];
  /** What the newest run of the unit in force has logged in this boot. */
  readonly log: Fact<readonly string[]>;
  readonly health: Health;
  /** This member's own answer; undefined when it was not asked, because it does not answer. */
  readonly self: Asked | undefined;
  readonly others: readonly Asked[];
  /** The member list that a membership call of ours returned, newer than what the others said. */
  readonly changedList: readonly Member[] | undefined;
  /** Undefined when nothing runs, or when it answers well. */
  readonly process: ProcessFacts | undefined;
  /** Undefined when it was not looked at. */
  readonly host: Fact<HostFacts> | undefined;
  readonly divergence: Divergence | undefined;
  /** What this node remembers of having been a member; its birthmark is empty too where none is to be asked for. */
  readonly mark: MemberMark;
  /** A person has accepted that what this member alone has committed is lost (`heal-node adopt --discard-ahead`). */
  readonly discardAhead: { readonly memberId: string; readonly commit: string } | undefined;
  readonly stamps: Readonly<Partial<Record<Source, Stamp>>>;
}

/** What one look is made of; each part can be looked at again alone. */
export type Part = 'files' | 'data' | 'units' | 'self' | 'cluster' | 'host';
export const ALL_PARTS: readonly Part[] = ['files', 'data', 'units', 'self', 'cluster', 'host'];
