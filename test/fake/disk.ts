import type { PathKind } from '../../src/machine/machine.ts';
import type { FileRights } from '../../src/machine/os/held-dir.ts';
import type { Random } from './clock.ts';
import type { Data } from './log.ts';

export interface Entry {
  readonly text?: string;
  readonly data?: Data;
  readonly rights: FileRights;
  /** What it takes; a few bytes where it is not said. */
  readonly bytes?: number;
  /** What stands there, where it is neither file nor directory. */
  readonly kind?: PathKind;
}

export type DiskName = 'root' | 'data';
export const diskOf = (path: string): DiskName => (`${path}/`.startsWith('/var/lib/etcd/') ? 'data' : 'root');

/** Both disks of a node, by path. What was not flushed may be gone, or torn, after a power loss. */
export class Disk {
  readonly entries = new Map<string, Entry>();
  private readonly changes = new Map<string, number>();
  private unflushed: { readonly path: string; readonly was: Entry | undefined }[] = [];

  constructor(private readonly now: () => number) {}

  below(path: string): string[] {
    const found: string[] = [];
    const inside = `${path}/`;
    for (const each of this.entries.keys()) if (each === path || each.startsWith(inside)) found.push(each);
    return found;
  }

  has(path: string): boolean {
    return this.kindOf(path) !== 'none';
  }

  text(path: string): string | undefined {
    const entry = this.entries.get(path);
    return entry?.kind ? undefined : entry?.text;
  }

  kindOf(path: string): PathKind {
    const entry = this.entries.get(path);
    if (entry?.kind) return entry.kind;
    if (entry?.text !== undefined || entry?.data !== undefined) return 'file';
    if (entry !== undefined) return 'directory';
    const inside = `${path}/`;
    for (const each of this.entries.keys()) if (each.startsWith(inside)) return 'directory';
    return 'none';
  }

  list(path: string): string[] {
    const names = new Set<string>();
    for (const each of this.below(path))
      if (each !== path) names.add(each.slice(path.length + 1).split('/')[0] ?? '');
    return [...names].sort();
  }

  changedMs(path: string): number | undefined {
    return this.entries.has(path) ? this.changes.get(path) : undefined;
  }

  /** As if it had been written so long ago. */
  age(path: string, ms: number): void {
    this.changes.set(path, this.now() - ms);
  }

  bytesBelow(path: string): number {
    let bytes = 0;
    for (const each of this.below(path)) {
      const { bytes: own, text, data } = this.entries.get(each) as Entry;
      bytes += own ?? (text?.length ?? 0) + (data ? 1000 + data.last.index : 0);
    }
    return bytes;
  }

  used(disk: DiskName): number {
    let bytes = 0;
    for (const [path, entry] of this.entries) if (diskOf(path) === disk) bytes += entry.bytes ?? 0;
    return bytes;
  }

  set(path: string, entry: Entry): void {
    this.unflushed.push({ path, was: this.entries.get(path) });
    this.entries.set(path, entry);
    this.changes.set(path, this.now());
  }

  /** One path alone. */
  drop(path: string): void {
    const was = this.entries.get(path);
    if (was === undefined) return;
    this.unflushed.push({ path, was });
    this.entries.delete(path);
  }

  /** A file or a whole tree. */
  delete(path: string): void {
    for (const each of this.below(path)) this.drop(each);
  }

  move(from: string, to: string): void {
    if (this.has(to)) throw new Error(`${to} is there already`);
    const all = this.below(from);
    if (all.length === 0) throw new Error(`${from} is not there`);
    for (const each of all) {
      const entry = this.entries.get(each) as Entry;
      this.drop(each);
      this.set(to + each.slice(from.length), entry);
    }
  }

  flush(): void {
    this.unflushed = [];
  }

  /**
   * Each change that was not flushed is lost or not; of a text half may be there.
   * @returns whether a text was torn
   */
  powerLost(random: Random): boolean {
    let torn = false;
    for (const { path, was } of this.unflushed.toReversed()) {
      const fate = random.next();
      const is = this.entries.get(path);
      if (fate < 0.4) continue;
      if (fate < 0.6 && is?.text !== undefined && is.text.length > 1) {
        this.entries.set(path, { ...is, text: is.text.slice(0, random.between(0, is.text.length - 1)) });
        torn = true;
      } else if (was === undefined) this.entries.delete(path);
      else this.entries.set(path, was);
    }
    this.unflushed = [];
    return torn;
  }
}
