import type { HeldFile } from '../os/held-dir.ts';
import { BEHIND_END, BoltFile, Damaged, type Item, isWithin, viewOf } from './bolt-file.ts';
import type { Budget } from './bounded-file.ts';
import { isRevision, KEY_VALUE, KeyIndex, REVISION_BYTES, restoredRange } from './key-index.ts';
import { decode, type Schema, VARINT } from './protobuf.ts';

/**
 * Reads etcd's database as etcd does at its start: every page of every bucket, because etcd keeps no free list on
 * the disk and finds the free pages by walking over all others, and then every key and value (etcd 3.4:
 * mvcc/kvstore.go `restore`, etcdserver/api/v3alarm/alarms.go). Values carry no checksum: a changed
 * byte in one is seen by nobody.
 */

/** etcdserverpb/rpc.proto, `AlarmMember`. */
const ALARM: Schema = { 1: VARINT, 2: VARINT };
/** The buckets that etcd makes at its start unless they are there, and those of them that it reads at once. */
const MADE_AT_START = ['authRoles', 'authUsers', 'cluster', 'lease', 'members', 'members_removed'];
const READ_AT_START = ['alarm', 'auth', 'key', 'meta'];
/** Of these every item is read at once. Of leases too, but etcd was seen to serve with what is no lease. */
const GONE_THROUGH = ['alarm', 'meta'];
/** These stand as they are when the page of the buckets is next written; any other may be replaced before. */
const SELDOM_CHANGED = ['alarm', 'auth', 'authRoles', 'authUsers'];
/** etcd refuses requests of a few megabytes (`--max-request-bytes`): a longer value is not looked into. */
const MAX_VALUE_BYTES = 16 << 20;

/** What was read of a database. */
export class DatabaseScan {
  /** `consistent_index`: the last entry of the log that was applied, 0 when none was; undefined when not read. */
  applied: bigint | undefined;
  /** The IDs of members that were removed from the cluster. */
  readonly removed: string[] = [];
  /** As stored, such as `3.4.0`; empty when there is none. */
  clusterVersion = '';
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/**
 * @param into what the database says; what was read before an error is true
 * @param notLookedAt is told what was passed over
 * @throws Damaged where etcd would not start with it; where a limit is reached; what reading throws
 */
export function scanDatabase(
  held: HeldFile,
  budget: Budget,
  into: DatabaseScan,
  notLookedAt: (what: string) => void,
): void {
  if (held.size === 0) {
    into.applied = 0n; // etcd makes a new database of an empty file
    return;
  }
  const file = new BoltFile(held, budget);

  const value = ({ valueAt, valueLength }: Item, what: string): Uint8Array => {
    if (valueLength <= MAX_VALUE_BYTES) return file.mapped(valueAt, valueLength, what);
    file.mapped(valueAt + valueLength - 1, 1, what);
    notLookedAt(`${what} of ${valueLength} bytes at byte ${valueAt}`);
    return new Uint8Array();
  };
  const mustDecode = (bytes: Uint8Array, schema: Schema, what: string, at: number): void => {
    if (decode(bytes, schema) !== 'whole') throw new Damaged(`${what} cannot be decoded`, at);
  };

  /** What was not found in the small buckets is not there. */
  let isKnown = true;
  /** What etcd does at its start with each item of a bucket. */
  const readers: Readonly<Record<string, (item: Item) => void>> = {
    alarm: (item) => mustDecode(file.keyOf(item), ALARM, 'an alarm', item.keyAt),
    meta: (item) => {
      const name = textOf(file.keyOf(item));
      const bytes = value(item, name);
      const needed = {
        consistent_index: 8,
        finishedCompactRev: REVISION_BYTES,
        scheduledCompactRev: REVISION_BYTES,
      }[name];
      if (needed !== undefined && bytes.length < needed)
        throw new Damaged(`${name} has ${bytes.length} bytes`, item.valueAt);
      if (name === 'consistent_index') into.applied = viewOf(bytes).getBigUint64(0);
    },
    cluster: (item) => {
      if (textOf(file.keyOf(item)) !== 'clusterVersion') return;
      into.clusterVersion = textOf(value(item, 'the cluster’s version')).slice(0, 64);
    },
    members_removed: (item) => into.removed.push(textOf(file.keyOf(item))),
    members: (item) => value(item, `member ${textOf(file.keyOf(item))}`),
  };

  /** A bucket in a bucket, which etcd has none of: bbolt walks it too, if its name leads to it. */
  const strange = (root: bigint, item: Item): void => {
    if (file.finds(root, new Uint8Array(file.keyOf(item)))) bucket(item, () => {});
  };
  const bucket = (item: Item, read: (item: Item) => void, name = ''): void => {
    const { root, inlineAt } = file.bucket(item, READ_AT_START.includes(name));
    if (root !== 0n) {
      for (const each of file.itemsOf(root)) {
        if (each.isBucket) strange(root, each);
        else read(each);
      }
      return;
    }
    try {
      file.inlineItems(inlineAt).forEach(read);
    } catch (error) {
      // What is wrong in a small bucket that etcd does not go through is met by nobody; and what lies behind the end may not
      // any more when it is read: with its first change bbolt makes the file longer (db.go, `grow`).
      const isRead = GONE_THROUGH.includes(name) && !(error as Error).message.includes(BEHIND_END);
      if (!(error instanceof Damaged) || isRead) throw error;
      isKnown = false;
      notLookedAt(`bucket ${name}: ${error.message}`);
    }
  };

  /** Every revision is decoded; the keys of those that stand out of order are then followed from first to last. */
  const keys = (item: Item): void => {
    const { root } = file.bucket(item);
    if (root === 0n) {
      bucket(item, () => {}, 'key');
      return;
    }
    file.mustBeNamed(root);
    const index = new KeyIndex(file);
    const isRestored = restoredRange(file, root);
    for (const { items, low, high, suspect } of file.leaves(root)) {
      let outOfOrder = suspect;
      let before: Uint8Array | undefined;
      for (const item of items) {
        if (item.isBucket) strange(root, item);
        const key = new Uint8Array(file.keyOf(item));
        if (!isRestored(item, key)) continue;
        if (key.length < REVISION_BYTES) throw new Damaged(`a revision of ${key.length} bytes`, item.keyAt);
        outOfOrder ||=
          !isRevision(key) ||
          !isWithin(key, before, high) ||
          (low !== undefined && Buffer.compare(key, low) < 0);
        before = key;
        const what = 'a key and its value';
        mustDecode(value(item, what), KEY_VALUE, what, item.valueAt);
      }
      if (outOfOrder && !items.every((each) => index.follow(each)))
        notLookedAt('all that stands out of order in the database');
    }
    index.check(root);
  };

  file.mustBeNamed(file.meta.root);
  const buckets: { name: string; item: Item }[] = [];
  for (const item of file.itemsOf(file.meta.root)) {
    const key = new Uint8Array(file.keyOf(item));
    const name = textOf(key);
    // The page of the buckets is written anew with each change, and so read whole (node.go, `read`, `write`).
    if (key.length === 0) throw new Damaged('read: zero-length inode key', item.keyAt);
    if (SELDOM_CHANGED.includes(name)) file.mapped(item.valueAt + item.valueLength - 1, 1, `bucket ${name}`);
    if (!file.finds(file.meta.root, key)) {
      // etcd makes it anew if it is one of its own, and by that may come to find others.
      notLookedAt(`bucket ${name}, which stands out of order`);
      isKnown = false;
      continue;
    }
    if (item.isBucket) buckets.push({ name, item });
    else if ([...MADE_AT_START, ...READ_AT_START].includes(name))
      throw new Damaged(`failed to create a bucket: ${name} is there and is none`, item.keyAt);
  }
  // The keys last: what the small buckets say is known then, whatever the keys are like.
  for (const { name, item } of buckets) if (name !== 'key') bucket(item, readers[name] ?? (() => {}), name);
  if (isKnown) into.applied ??= 0n;
  for (const { name, item } of buckets) if (name === 'key') keys(item);
}
