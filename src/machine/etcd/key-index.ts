import { type BoltFile, Damaged, type Item, viewOf } from './bolt-file.ts';
import { BYTES, fieldsOf, VARINT } from './protobuf.ts';

/** mvcc/revision.go: the main revision, an underscore, the sub revision; a tombstone has a `t` behind. */
export const REVISION_BYTES = 17;
const UNDERSCORE = 0x5f;
const TOMBSTONE = 0x74;

export const KEY_VALUE = { 1: BYTES, 2: VARINT, 3: VARINT, 4: VARINT, 5: BYTES, 6: VARINT } as const;
/** More out of order than this is not followed up. */
const MAX_KEYS = 50_000;

const isTombstone = (key: Uint8Array): boolean =>
  key.length === REVISION_BYTES + 1 && key[REVISION_BYTES] === TOMBSTONE;

/** Whether these are the bytes in which etcd writes a revision; in any others its searches do not find it. */
export const isRevision = (key: Uint8Array): boolean =>
  key[8] === UNDERSCORE && (key.length === REVISION_BYTES || isTombstone(key));

/** The lowest revision that etcd looks for when it starts, as it writes it. */
const LOWEST = bytesOf({ main: 1n, sub: 0n });

/**
 * Which items etcd reads at its start: from where a search for revision 1 leads, until one is beyond the highest. What
 * is returned is asked for every item, in order.
 */
export function restoredRange(file: BoltFile, root: bigint) {
  const firstAt = file.seek(root, LOWEST)?.keyAt;
  let state: 'before' | 'in' | 'behind' = 'before';
  return ({ keyAt }: Item, key: Uint8Array): boolean => {
    if (state === 'before' && keyAt === firstAt) state = 'in';
    if (state === 'in' && (key[0] ?? 0) > 0x7f) state = 'behind'; // above 2^63 - 1
    return state === 'in';
  };
}

/** What an item does to its key, as its revision says. */
const changeOf = (key: Uint8Array) => {
  const view = viewOf(key);
  return { main: view.getBigInt64(0), sub: view.getBigInt64(9), deletes: isTombstone(key) };
};

type Change = Readonly<ReturnType<typeof changeOf>>;

/**
 * etcd's index in memory (mvcc/index.go, key_index.go), for those of its keys alone whose revisions stand out of
 * order in the database. It is what etcd dies of there: of a revision that is smaller than the one before it when the
 * index is made, and of one that a search does not find when a client reads the key.
 */
export class KeyIndex {
  private readonly changes = new Map<string, Change[]>();

  constructor(private readonly file: BoltFile) {}

  /** Takes a key into the index, by an item that stands out of order. @returns false when there are too many */
  follow(item: Item): boolean {
    if (this.changes.size < MAX_KEYS) this.changes.set(this.userKey(item), []);
    return this.changes.size < MAX_KEYS;
  }

  /**
   * Makes the index of all items in their order, as etcd does at its start; not where no key is followed.
   * @throws Damaged where it would panic
   */
  check(root: bigint): void {
    if (this.changes.size === 0) return;
    const isRestored = restoredRange(this.file, root);
    let current = 0n;
    for (const item of this.file.itemsOf(root, true)) {
      const key = this.file.keyOf(item);
      if (!isRestored(item, key)) continue;
      const change = changeOf(key);
      current = change.main;
      const changes = this.changes.get(this.userKey(item));
      if (changes) this.add(changes, change, item);
    }
    for (const [key, changes] of this.changes) {
      const live = changes.findLast(({ main }) => main <= current);
      // No client can ask for a key without a name (etcdserver/api/v3rpc/key.go).
      if (key !== '' && live && !live.deletes && !this.file.finds(root, bytesOf(live)))
        throw new Damaged(`range cannot find rev (${live.main},${live.sub})`, 0);
    }
  }

  private add(changes: Change[], change: Change, { keyAt }: Item): void {
    const last = changes.at(-1);
    // A deletion of what is not there is passed over.
    if (change.deletes && (last === undefined || last.deletes)) return;
    if (last && (change.main < last.main || (change.main === last.main && change.sub <= last.sub)))
      throw new Damaged(
        `put with unexpected smaller revision [{${change.main} ${change.sub}} / {${last.main} ${last.sub}}]`,
        keyAt,
      );
    changes.push(change);
  }

  private userKey({ valueAt, valueLength }: Item): string {
    const bytes = this.file.mapped(valueAt, valueLength, 'a key and its value');
    return Buffer.from(fieldsOf(bytes, KEY_VALUE)?.bytes(1) ?? []).toString('latin1');
  }
}

function bytesOf({ main, sub }: Pick<Change, 'main' | 'sub'>): Uint8Array {
  const bytes = new Uint8Array(REVISION_BYTES);
  const view = viewOf(bytes);
  view.setBigInt64(0, main);
  bytes[8] = UNDERSCORE;
  view.setBigInt64(9, sub);
  return bytes;
}
