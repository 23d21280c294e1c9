import type { HeldFile } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';

/**
 * A bbolt file, read page by page as bbolt reads it (bbolt 1.3: db.go `mmap`, `freepages`; tx.go `checkBucket`;
 * page.go, bucket.go, cursor.go).
 *
 * A page begins with its ID (64 bits), flags and count (16 each) and how many pages overflow it (32). An element of
 * a leaf has flags, position, key and value length (32 each); one of a branch position, key length (32 each) and
 * page ID (64). A position is counted from the element.
 */

const PAGE_HEADER_BYTES = 16;
export const BEHIND_END = 'lies beyond the end of the file';
const ELEMENT_BYTES = 16;
const BUCKET_HEADER_BYTES = 16;
const OS_PAGE_BYTES = 4096;
const BRANCH = 1;
const LEAF = 2;
const FREE_LIST = 0x10;
const BUCKET = 1;
const MAGIC = 0xed0cdaed;
const VERSION = 2;
const META_BYTES = 64;
const CHECKED_BYTES = 56;
const MAX_KEY_BYTES = 32_768;
/**
 * etcd maps more than its quota (etcdserver/backend.go), which is hardly less. What lies in that beyond the end of the
 * file kills it; behind that there may be any other memory, and a key in it is compared and only not found.
 */
const MAPPED_BYTES = 2 ** 29;
/** A tree of that many levels would have more pages than a disk can hold. */
const MAX_DEPTH = 64;
const NO_FREE_LIST = 2n ** 64n - 1n;

/** What etcd does not start with, and where it stands in the file. */
export class Damaged extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

/** A meta page that bbolt takes (db.go, `validate`); it takes one without a checksum too. */
function readMeta(file: BoundedFile, at: number) {
  const bytes = file.bytes(at + PAGE_HEADER_BYTES, META_BYTES);
  if (bytes.length < META_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  const checksum = view.getBigUint64(CHECKED_BYTES, true);
  if (checksum !== 0n && checksum !== fnv1a64(bytes.subarray(0, CHECKED_BYTES))) return undefined;
  return {
    pageSize: view.getUint32(8, true),
    root: view.getBigUint64(16, true),
    freeList: view.getBigUint64(32, true),
    /** The first page that was never used. */
    highWater: Number(view.getBigUint64(40, true)),
    transaction: view.getBigUint64(48, true),
  };
}

function newestMeta(file: BoundedFile) {
  if (file.size < OS_PAGE_BYTES) throw new Damaged('invalid database: it is shorter than a page', file.size);
  const first = readMeta(file, 0);
  const pageSize = first?.pageSize ?? OS_PAGE_BYTES;
  if (file.size < 2 * pageSize) throw new Damaged('file size too small', file.size);
  const second = readMeta(file, pageSize);
  const newest = first && second && second.transaction > first.transaction ? second : (first ?? second);
  if (newest === undefined) throw new Damaged('invalid database: neither meta page is valid', 0);
  return { ...newest, pageSize };
}

type Page = Readonly<Record<'at' | 'id' | 'flags' | 'count' | 'overflow', number>>;

/** The keys that a page may hold: from `low` on and below `high`, as the branches above it say. */
interface Bounds {
  readonly low?: Uint8Array | undefined;
  readonly high?: Uint8Array | undefined;
  /** A branch above is itself out of order: a search may lead past the page. */
  readonly suspect: boolean;
}

type Leaf = Bounds & { readonly items: readonly Item[] };

export class BoltFile {
  private readonly file: BoundedFile;
  readonly meta: ReturnType<typeof newestMeta>;
  private readonly visited: Uint8Array;
  /** With no free list on the disk bbolt checks each page's own ID and that it is used once. */
  private readonly checksPages: boolean;
  private readonly end: number;
  /** How many pages the file has, and bbolt has ever used. */
  private readonly pages: number;

  /** @throws Damaged where bbolt would not open it */
  constructor(held: HeldFile, budget: Budget) {
    this.file = new BoundedFile(held, budget);
    this.meta = newestMeta(this.file);
    this.checksPages = this.meta.freeList === NO_FREE_LIST;
    // What lies beyond the file but in its last page in memory reads as zeros; what lies further kills etcd.
    this.end = Math.ceil(this.file.size / OS_PAGE_BYTES) * OS_PAGE_BYTES;
    this.pages = Math.min(this.meta.highWater, Math.ceil(this.end / this.meta.pageSize));
    this.visited = new Uint8Array(this.pages / 8 + 1);
    if (this.checksPages) return;
    const at = Number(this.meta.freeList) * this.meta.pageSize;
    const { flags } = this.pageAt(at, 'the free list');
    if ((flags & FREE_LIST) === 0) throw new Damaged(`invalid freelist page: its type is ${flags}`, at);
  }

  /** Bytes as etcd sees them in the mapped file; valid until the next call. */
  mapped(at: number, length: number, what: string): Uint8Array {
    if (length > 0 && at + length > this.end) throw new Damaged(`${what} ${BEHIND_END}`, at);
    const bytes = this.file.bytes(at, length);
    if (bytes.length === length) return bytes;
    const padded = new Uint8Array(length);
    padded.set(bytes);
    return padded;
  }

  /** With the first write bbolt takes the page by whose ID a root calls itself for the root (cursor.go, `node`). */
  mustBeNamed(root: bigint): void {
    const { id, at } = this.pageOf(root);
    const bytes = (page: number) => new Uint8Array(this.mapped(page, this.meta.pageSize, `page ${id}`));
    if (BigInt(id) !== root && Buffer.compare(bytes(at), bytes(id * this.meta.pageSize)) !== 0)
      throw new Damaged(`page ${root}, a root, calls itself ${id}`, at);
  }

  /**
   * Every leaf of a tree, in order; each page is checked as bbolt checks it when it looks for the free ones.
   * @param pageId the root, or the top of a part of the tree, whose `bounds` are known
   * @param again the tree was walked before
   */
  *leaves(pageId: bigint, again = false, bounds: Bounds = { suspect: false }): Generator<Leaf> {
    const page = this.pageOf(pageId);
    // Pages that name each other again and again are read from the buffer, at no cost but time.
    this.file.spend(0);
    if (!again) this.enter(pageId, page);
    if ((page.flags & BRANCH) === 0) {
      yield { items: this.items(page), ...bounds };
      return;
    }
    if (page.count === 0) throw new Damaged(`page ${pageId}: a branch without elements`, page.at);
    const { table, keys } = this.branches(page);
    const inOrder = keys.every(
      (key, n) => n === 0 || isWithin(key, n === 1 ? bounds.low : keys[n - 1], bounds.high),
    );
    const suspect = bounds.suspect || !inOrder;
    for (let n = 0; n < page.count; n++) {
      const low = n === 0 ? bounds.low : keys[n];
      yield* this.leaves(childOf(table, n), again, { low, high: keys[n + 1] ?? bounds.high, suspect });
    }
  }

  /** Every item of a tree, in order, each page checked as above. */
  *itemsOf(root: bigint, again = false): Generator<Item> {
    for (const { items } of this.leaves(root, again)) yield* items;
  }

  /**
   * Where a bucket has its items: in a tree, or, where `root` is 0, in a page in the place of its value (bucket.go).
   * @param isSought etcd searches in it at its start, which bbolt does in a leaf alone
   */
  bucket({ valueAt, valueLength }: Item, isSought = false): { root: bigint; inlineAt: number } {
    const header = this.mapped(valueAt, BUCKET_HEADER_BYTES, 'a bucket');
    const root = viewOf(header).getBigUint64(0, true);
    const inlineAt = valueAt + BUCKET_HEADER_BYTES;
    if (root !== 0n) return { root, inlineAt };
    if (valueLength <= BUCKET_HEADER_BYTES) throw new Damaged('a bucket has no page', valueAt);
    const { flags } = this.pageAt(inlineAt, 'a bucket');
    if (isSought && (flags & LEAF) === 0)
      throw new Damaged(`a bucket: invalid page type: ${flags}`, inlineAt);
    return { root, inlineAt };
  }

  /** The items of a bucket that has no tree. */
  inlineItems(at: number): readonly Item[] {
    const page = this.pageAt(at, 'a bucket');
    return page.flags & LEAF ? this.items(page) : [];
  }

  /** Whether a search leads to this very key, which it may not do in disorder. */
  finds(root: bigint, key: Uint8Array): boolean {
    const item = this.seek(root, key);
    return item !== undefined && Buffer.compare(this.keyOf(item), key) === 0;
  }

  /** Where a search from the root leads (cursor.go, `Seek`): to the key or, in order, to the next behind it. */
  seek(root: bigint, key: Uint8Array): Item | undefined {
    let behind: bigint | undefined;
    const page = this.leafBelow(root, (branch) => {
      const { table, keys } = this.branches(branch);
      const { index, exact } = search(branch.count, (n) => keys[n] as Uint8Array, key);
      const taken = !exact && index > 0 ? index - 1 : index;
      if (taken + 1 < branch.count) behind = childOf(table, taken + 1);
      return childOf(table, taken);
    });
    const items = page ? this.items(page) : [];
    const item = items[search(items.length, (n) => this.keyOf(items[n] as Item), key).index];
    if (item !== undefined || behind === undefined) return item;
    // Behind its last key a search goes on to the next page.
    const next = this.leafBelow(behind, (branch) => childOf(this.table(branch), 0));
    return next && this.items(next)[0];
  }

  /** The leaf to which `take` leads, from each branch to a page; undefined where the walk finds something wrong. */
  private leafBelow(id: bigint, take: (branch: Page) => bigint): Page | undefined {
    let page = this.pageOf(id);
    for (let depth = 0; (page.flags & LEAF) === 0; depth++) {
      if (page.count === 0 || depth > MAX_DEPTH) return undefined;
      page = this.pageOf(take(page));
    }
    return page;
  }

  /**
   * A key, or as much of it as bbolt would take (db.go, MaxKeySize) and the file holds: a comparison stops where two
   * keys differ, and need not come to the end of one that is too long.
   */
  keyOf({ keyAt, keyLength }: Pick<Item, 'keyAt' | 'keyLength'>): Uint8Array {
    if (keyLength > 0 && keyAt >= Math.max(this.end, MAPPED_BYTES))
      throw new Error(`a key at byte ${keyAt}: that may be anything`);
    const held = Math.min(keyLength, MAX_KEY_BYTES, Math.max(this.end - keyAt, 0));
    return this.mapped(keyAt, keyLength > 0 ? Math.max(held, 1) : 0, 'a key');
  }

  /** tx.go, `checkBucket`: by the ID that the page gives itself. */
  private enter(pageId: bigint, { id, overflow, flags, at }: Page): void {
    if (this.checksPages) {
      if (id > this.meta.highWater)
        throw new Damaged(`page ${pageId} calls itself ${id}: out of bounds: ${this.meta.highWater}`, at);
      for (let n = id; n <= Math.min(id + overflow, this.pages); n++) {
        const bit = 1 << (n & 7);
        const marks = this.visited[n >>> 3] as number;
        if (marks & bit) throw new Damaged(`page ${n}: multiple references`, at);
        this.visited[n >>> 3] = marks | bit;
      }
    }
    if ((flags & (BRANCH | LEAF)) === 0) throw new Damaged(`page ${pageId}: invalid type: ${flags}`, at);
  }

  /** bbolt counts a page's place in 64 bits, so that the highest bits of an ID make no difference (db.go, `page`). */
  private pageOf(id: bigint): Page {
    return this.pageAt(Number(BigInt.asUintN(64, id * BigInt(this.meta.pageSize))), `page ${id}`);
  }

  private pageAt(at: number, what: string): Page {
    const view = viewOf(this.mapped(at, PAGE_HEADER_BYTES, what));
    return {
      at,
      id: Number(view.getBigUint64(0, true)),
      flags: view.getUint16(8, true),
      count: view.getUint16(10, true),
      overflow: view.getUint32(12, true),
    };
  }

  /** The table of a page's elements, copied: reading what they point to takes the buffer that it stood in. */
  private table({ at, count }: Page): DataView {
    return viewOf(new Uint8Array(this.mapped(at + PAGE_HEADER_BYTES, count * ELEMENT_BYTES, 'an element')));
  }

  private branches(page: Page): { table: DataView; keys: Uint8Array[] } {
    const table = this.table(page);
    const keys = Array.from({ length: page.count }, (_, n) => {
      const at = n * ELEMENT_BYTES;
      const keyAt = page.at + PAGE_HEADER_BYTES + at + table.getUint32(at, true);
      return new Uint8Array(this.keyOf({ keyAt, keyLength: table.getUint32(at + 4, true) }));
    });
    return { table, keys };
  }

  private items(page: Page): Item[] {
    const table = this.table(page);
    return Array.from({ length: page.count }, (_, n) => itemOf(page, table, n));
  }
}

/** An element of a leaf, with where its key and its value stand in the file. */
function itemOf(page: Page, table: DataView, n: number) {
  const at = n * ELEMENT_BYTES;
  const keyAt = page.at + PAGE_HEADER_BYTES + at + table.getUint32(at + 4, true);
  const keyLength = table.getUint32(at + 8, true);
  return {
    isBucket: (table.getUint32(at, true) & BUCKET) !== 0,
    keyAt,
    keyLength,
    valueAt: keyAt + keyLength,
    valueLength: table.getUint32(at + 12, true),
  };
}

export type Item = Readonly<ReturnType<typeof itemOf>>;

/** Go's sort.Search, step by step: in disorder the steps decide what is found. */
function search(count: number, keyAt: (n: number) => Uint8Array, key: Uint8Array) {
  let [index, to, exact] = [0, count, false];
  while (index < to) {
    const middle = (index + to) >>> 1;
    const order = Buffer.compare(keyAt(middle), key);
    if (order === 0) exact = true;
    if (order < 0) index = middle + 1;
    else to = middle;
  }
  return { index, exact };
}

const childOf = (table: DataView, n: number): bigint => table.getBigUint64(n * ELEMENT_BYTES + 8, true);

/** Whether a key stands behind `before` and below `high`, where there are such. */
export const isWithin = (key: Uint8Array, before: Uint8Array | undefined, high: Uint8Array | undefined) =>
  (before === undefined || Buffer.compare(key, before) > 0) &&
  (high === undefined || Buffer.compare(key, high) < 0);
