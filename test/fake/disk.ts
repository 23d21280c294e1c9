import type { PathKind } from '../../src/machine/machine.ts';
import type { FileRights } from '../../src/machine/os/held-dir.ts';
import type { Random } from './clock.ts';

/** What a member's data are: how far they reach in the history of one cluster. */
export interface Data {
  readonly memberId: string;
  /** Which cluster's history: 0 is the one that was there first; others have been founded on nothing. */
  readonly lineage: number;
  index: number;
  damaged: boolean;
  /** Its keys are not those that the history has: they hash to something else. */
  taint?: string;
}

export interface Entry {
  readonly text?: string;
  readonly data?: Data;
  readonly rights: FileRights;
}

/** Both disks of a node, by path. What was not flushed may be gone after a power loss. */
export class Disk {
  readonly entries = new Map<string, Entry>();
  private unflushed: { readonly path: string; readonly was: Entry | undefined }[] = [];

  below(path: string): string[] {
    const found: string[] = [];
    const inside = `${path}/`;
    for (const each of this.entries.keys()) if (each === path || each.startsWith(inside)) found.push(each);
    return found;
  }

  kindOf(path: string): PathKind {
    const entry = this.entries.get(path);
    if (entry?.text !== undefined || entry?.data !== undefined) return 'file';
    return entry !== undefined || this.below(path).length > 0 ? 'directory' : 'none';
  }

  list(path: string): string[] {
    const names = new Set<string>();
    for (const each of this.below(path))
      if (each !== path) names.add(each.slice(path.length + 1).split('/')[0] ?? '');
    return [...names].sort();
  }

  set(path: string, entry: Entry): void {
    this.unflushed.push({ path, was: this.entries.get(path) });
    this.entries.set(path, entry);
  }

  delete(path: string): void {
    for (const each of this.below(path)) {
      this.unflushed.push({ path: each, was: this.entries.get(each) });
      this.entries.delete(each);
    }
  }

  move(from: string, to: string): void {
    if (this.kindOf(to) !== 'none') throw new Error(`${to} is there already`);
    const all = this.below(from);
    if (all.length === 0) throw new Error(`${from} is not there`);
    for (const each of all) {
      const entry = this.entries.get(each) as Entry;
      this.unflushed.push({ path: each, was: entry });
      this.entries.delete(each);
      this.set(to + each.slice(from.length), entry);
    }
  }

  flush(): void {
    this.unflushed = [];
  }

  /** Each change that was not flushed is lost or not. */
  powerLost(random: Random): void {
    for (const { path, was } of this.unflushed.toReversed()) {
      if (random.chance(0.5)) continue;
      if (was === undefined) this.entries.delete(path);
      else this.entries.set(path, was);
    }
    this.unflushed = [];
  }
}
