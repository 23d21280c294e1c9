import type { HeldFile } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';
import { BYTES, readMessage, type Schema, VARINT } from './protobuf.ts';

/**
 * Reads etcd's database, a bbolt file, as etcd does when it opens it: every page of every bucket, because etcd
 * keeps no free list on the disk and finds the free pages by walking over all others (bbolt 1.3: db.go `mmap`,
 * `freepages`; tx.go `checkBucket`; page.go, bucket.go), and then every key and value (etcd 3.4: mvcc/kvstore.go
 * `restore`, lease/lessor.go, etcdserver/api/v3alarm/alarms.go). Values themselves carry no checksum: a changed
 * byte in one is seen by nobody.
 *
 * A page begins with its ID (64 bits), flags and count (16 each) and how many pages overflow it (32). An element of
 * a leaf has flags, position, key and value length (32 each); one of a branch position, key length and page ID. A
 * position is counted from the element.
 */

const PAGE_HEADER_BYTES = 16;
const ELEMENT_BYTES = 16;
const BUCKET_HEADER_BYTES = 16;
const OS_PAGE_BYTES = 4096;
const BRANCH = 1;
const LEAF = 2;
const FREE_LIST = 0x10;
const BUCKET = 1;
const MAGIC = 0xed0cdaed;
const META_BYTES = 64;
const NO_FREE_LIST = 2n ** 64n - 1n;
/** etcd refuses requests of a few megabytes (`--max-request-bytes`): a longer value is not looked into. */
const MAX_VALUE_BYTES = 16 << 20;
/** mvcc/revision.go: the main revision, an underscore, the sub revision; a tombstone has one byte more. */
const REVISION_BYTES = 17;

export interface StoredMember {
  /** Hexadecimal, as etcdctl prints it. */
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface DatabaseScan {
  /** `consistent_index`: the last entry of the log that was applied; 0 when none was. */
  applied: bigint;
  readonly members: StoredMember[];
  /** As stored, such as `3.4.0`; empty when there is none. */
  clusterVersion: string;
}

/** What etcd does not open, and where it stands in the file. */
export class Damaged extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly freeList: bigint;
  /** The first page that was never used. */
  readonly highWater: number;
  readonly transaction: bigint;
}

/** A meta page that bbolt takes (db.go, `validate`); it takes one without a checksum too. */
function readMeta(file: BoundedFile, at: number): Meta | undefined {
  const bytes = file.bytes(at + PAGE_HEADER_BYTES, META_BYTES);
  if (bytes.length < META_BYTES) return undefined;
  const view = viewOf(bytes);
  const checksum = view.getBigUint64(56, true);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 2) return undefined;
  if (checksum !== 0n && checksum !== fnv1a64(bytes.subarray(0, 56))) return undefined;
  return {
    pageSize: view.getUint32(8, true),
    root: Number(view.getBigUint64(16, true)),
    freeList: view.getBigUint64(32, true),
    highWater: Number(view.getBigUint64(40, true)),
    transaction: view.getBigUint64(48, true),
  };
}

function newestMeta(file: BoundedFile): Meta {
  if (file.size < OS_PAGE_BYTES) throw new Damaged('invalid database: it is shorter than a page', file.size);
  const first = readMeta(file, 0);
  const pageSize = first?.pageSize ?? OS_PAGE_BYTES;
  if (file.size < 2 * pageSize) throw new Damaged('file size too small', file.size);
  const second = readMeta(file, pageSize);
  const newest = first && second && second.transaction > first.transaction ? second : (first ?? second);
  if (newest === undefined) throw new Damaged('invalid database: neither meta page is valid', 0);
  return { ...newest, pageSize };
}

interface Page {
  readonly at: number;
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  readonly overflow: number;
}

/** An element of a leaf, with where its key and its value stand in the file. */
interface Item {
  readonly flags: number;
  readonly keyAt: number;
  readonly keyLength: number;
  readonly valueAt: number;
  readonly valueLength: number;
}

/** mvcc/mvccpb/kv.proto, `KeyValue`; lease/leasepb/lease.proto, `Lease`; rpc.proto, `AlarmMember`. */
const KEY_VALUE: Schema = { 1: BYTES, 2: VARINT, 3: VARINT, 4: VARINT, 5: BYTES, 6: VARINT };
const LEASE: Schema = { 1: VARINT, 2: VARINT, 3: VARINT };
const ALARM: Schema = { 1: VARINT, 2: VARINT };

/** The buckets that etcd makes when it starts unless they are there (mvcc, lease, auth, membership, alarm). */
const BUCKETS = [
  'alarm',
  'auth',
  'authRoles',
  'authUsers',
  'cluster',
  'key',
  'lease',
  'members',
  'members_removed',
  'meta',
];
/** Those that it reads at once. */
const READ_AT_START = ['alarm', 'auth', 'key', 'lease', 'meta'];

/** Walks over one database, and throws Damaged at the first thing that etcd does not start with. */
class Walk {
  private readonly visited: Uint8Array;
  /** With no free list on the disk, bbolt checks each page's own ID, type and that it is used once. */
  private readonly checksPages: boolean;
  private readonly end: number;
  private keysEnded = false;

  constructor(
    private readonly file: BoundedFile,
    private readonly meta: Meta,
    private readonly into: DatabaseScan,
    private readonly notLookedAt: (what: string) => void,
  ) {
    this.checksPages = meta.freeList === NO_FREE_LIST;
    this.visited = new Uint8Array(Math.min(meta.highWater, 2 ** 31) / 8 + 1);
    // What lies beyond the file but in its last page in memory reads as zeros; what lies further kills etcd.
    this.end = Math.ceil(file.size / OS_PAGE_BYTES) * OS_PAGE_BYTES;
  }

  /** Bytes as etcd sees them in the mapped file. */
  private mapped(at: number, length: number, what: string): Uint8Array {
    if (at + length > this.end) throw new Damaged(`${what} lies beyond the end of the file`, at);
    const bytes = this.file.bytes(at, length);
    if (bytes.length === length) return bytes;
    const padded = new Uint8Array(length);
    padded.set(bytes);
    return padded;
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

  private enter(pageId: number): Page {
    const page = this.pageAt(pageId * this.meta.pageSize, `page ${pageId}`);
    const { id, overflow, flags, at } = page;
    if (!this.checksPages) {
      if ((flags & (BRANCH | LEAF)) === 0)
        throw new Damaged(`page ${pageId}: invalid page type ${flags}`, at);
      return page;
    }
    if (id > this.meta.highWater)
      throw new Damaged(`page ${pageId} calls itself ${id}, out of bounds ${this.meta.highWater}`, at);
    for (let n = id; n <= Math.min(id + overflow, this.meta.highWater); n++) {
      const [byte, bit] = [n >>> 3, 1 << (n & 7)];
      if ((this.visited[byte] as number) & bit) throw new Damaged(`page ${n}: multiple references`, at);
      this.visited[byte] = (this.visited[byte] as number) | bit;
    }
    if ((flags & (BRANCH | LEAF)) === 0) throw new Damaged(`page ${pageId}: invalid page type ${flags}`, at);
    return page;
  }

  /** The table of a page's elements, copied: reading what they point to takes the buffer that it stood in. */
  private table({ at, count }: Page): DataView {
    return viewOf(this.mapped(at + PAGE_HEADER_BYTES, count * ELEMENT_BYTES, 'an element').slice());
  }

  private items(page: Page): Item[] {
    const table = this.table(page);
    return Array.from({ length: page.count }, (_, n) => {
      const at = n * ELEMENT_BYTES;
      const keyAt = page.at + PAGE_HEADER_BYTES + at + table.getUint32(at + 4, true);
      const keyLength = table.getUint32(at + 8, true);
      const item = {
        flags: table.getUint32(at, true),
        keyAt,
        keyLength,
        valueAt: keyAt + keyLength,
        valueLength: table.getUint32(at + 12, true),
      };
      if (keyAt + keyLength > this.end)
        throw new Damaged('a key lies beyond the end of the file', page.at + 16 + at);
      return item;
    });
  }

  /** Hands over every leaf of a tree, in order; all pages are entered on the way. */
  private walk(pageId: number, onLeaf: (page: Page) => void): void {
    const page = this.enter(pageId);
    if (page.flags & BRANCH) {
      if (page.count === 0) throw new Damaged(`page ${pageId}: a branch without elements`, page.at);
      const table = this.table(page);
      for (let n = 0; n < page.count; n++) {
        const at = page.at + PAGE_HEADER_BYTES + n * ELEMENT_BYTES;
        const keyEnd = at + table.getUint32(n * 16, true) + table.getUint32(n * 16 + 4, true);
        if (keyEnd > this.end) throw new Damaged('a key lies beyond the end of the file', at);
        this.walk(Number(table.getBigUint64(n * 16 + 8, true)), onLeaf);
      }
    } else {
      onLeaf(page);
    }
  }

  private value({ valueAt, valueLength }: Item, what: string): Uint8Array | undefined {
    if (valueAt + valueLength <= this.end && valueLength > MAX_VALUE_BYTES) {
      this.notLookedAt(`${what} of ${valueLength} bytes at byte ${valueAt}`);
      return undefined;
    }
    return this.mapped(valueAt, valueLength, what);
  }

  private mustDecode(item: Item, schema: Schema, what: string): void {
    const bytes = this.value(item, what);
    if (bytes !== undefined && !readMessage(bytes, 0, bytes.length, schema))
      throw new Damaged(`${what} cannot be decoded`, item.valueAt);
  }

  /** What etcd does with an item of each bucket when it starts. */
  private readonly readers: Readonly<Record<string, (item: Item) => void>> = {
    key: (item) => {
      if (this.keysEnded) return;
      const key = this.mapped(item.keyAt, item.keyLength, 'a key');
      // etcd reads up to the highest revision that can be, and stops at what sorts behind it.
      this.keysEnded = (key[0] ?? 0) > 0x7f;
      if (this.keysEnded) return;
      if (key.length < REVISION_BYTES) throw new Damaged(`a revision of ${key.length} bytes`, item.keyAt);
      this.mustDecode(item, KEY_VALUE, 'a key and its value');
    },
    lease: (item) => this.mustDecode(item, LEASE, 'a lease'),
    alarm: ({ keyAt, keyLength }) => {
      if (!readMessage(this.mapped(keyAt, keyLength, 'an alarm'), 0, keyLength, ALARM))
        throw new Damaged('an alarm cannot be decoded', keyAt);
    },
    meta: (item) => {
      const name = textOf(this.mapped(item.keyAt, item.keyLength, 'a key'));
      const value = this.value(item, name);
      const needed =
        name === 'consistent_index' ? 8 : /^(finished|scheduled)CompactRev$/.test(name) ? REVISION_BYTES : 0;
      if (value === undefined) return;
      if (value.length < needed) throw new Damaged(`${name} has ${value.length} bytes`, item.valueAt);
      if (name === 'consistent_index') this.into.applied = viewOf(value).getBigUint64(0);
    },
    cluster: (item) => {
      const name = textOf(this.mapped(item.keyAt, item.keyLength, 'a key'));
      const value = this.value(item, name);
      if (name === 'clusterVersion' && value && value.length < 64) this.into.clusterVersion = textOf(value);
    },
    members: (item) => {
      const id = textOf(this.mapped(item.keyAt, item.keyLength, 'a key'));
      const value = this.value(item, id);
      try {
        const { name, peerURLs, isLearner } = JSON.parse(textOf(value ?? new Uint8Array()));
        const peerUrls = Array.isArray(peerURLs) ? peerURLs.map(String) : [];
        this.into.members.push({ id, name: String(name ?? ''), peerUrls, isLearner: isLearner === true });
      } catch {
        this.notLookedAt(`member ${id}, which cannot be read`);
      }
    },
  };

  private bucket(name: string | undefined, item: Item): void {
    const header = viewOf(this.mapped(item.valueAt, BUCKET_HEADER_BYTES, 'a bucket'));
    const root = Number(header.getBigUint64(0, true));
    const read = name === undefined ? undefined : this.readers[name];
    if (root !== 0) {
      this.tree(root, read);
      return;
    }
    if (item.valueLength <= BUCKET_HEADER_BYTES) throw new Damaged('a bucket has no page', item.valueAt);
    const page = this.pageAt(item.valueAt + BUCKET_HEADER_BYTES, 'a bucket');
    if ((page.flags & LEAF) === 0 && name !== undefined && READ_AT_START.includes(name))
      throw new Damaged(`bucket ${name}: invalid page type ${page.flags}`, page.at);
    if (read !== undefined && page.flags & LEAF) for (const each of this.items(page)) read(each);
  }

  /** All leaves of a bucket with their items; a bucket in it is walked too. */
  private tree(root: number, read: ((item: Item) => void) | undefined): void {
    this.walk(root, (page) => {
      for (const item of this.items(page)) {
        if (item.flags & BUCKET) this.bucket(undefined, item);
        else read?.(item);
      }
    });
  }

  all(): void {
    if (!this.checksPages) {
      const at = Number(this.meta.freeList) * this.meta.pageSize;
      const { flags } = this.pageAt(at, 'the free list');
      if ((flags & FREE_LIST) === 0) throw new Damaged(`invalid freelist page: its type is ${flags}`, at);
    }
    const buckets: { name: string; item: Item }[] = [];
    this.walk(this.meta.root, (page) => {
      for (const item of this.items(page)) {
        const name = textOf(this.mapped(item.keyAt, Math.min(item.keyLength, 64), 'a bucket'));
        if (item.flags & BUCKET) buckets.push({ name, item });
        else if (BUCKETS.includes(name)) throw new Damaged(`${name} is not a bucket`, item.keyAt);
      }
    });
    // The keys last: what the small buckets say is known then, whatever the keys are like.
    const isKeys = ({ name }: { name: string }) => name === 'key';
    for (const { name, item } of [...buckets.filter((one) => !isKeys(one)), ...buckets.filter(isKeys)])
      this.bucket(name, item);
  }
}

/**
 * @param into what the database says; what was read before an error is true
 * @param notLookedAt is told what was passed over
 * @throws Damaged where etcd would not start with it; LimitReached; what reading throws
 */
export function scanDatabase(
  held: HeldFile,
  budget: Budget,
  into: DatabaseScan,
  notLookedAt: (what: string) => void,
): void {
  const file = new BoundedFile(held, budget);
  // An empty file is made a new database.
  if (file.size > 0) new Walk(file, newestMeta(file), into, notLookedAt).all();
}
