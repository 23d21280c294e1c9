/** Where things stand in etcd's files, found without the product's readers: they are what is on trial. */

export interface WalRecord {
  readonly type: 'metadata' | 'entry' | 'state' | 'crc' | 'snapshot';
  /** The frame's first byte; the record begins eight bytes later. */
  readonly at: number;
  readonly end: number;
  /** Where its data begin; `end` of the record when it has none. */
  readonly dataAt: number;
  readonly recordEnd: number;
}

const TYPES = ['metadata', 'entry', 'state', 'crc', 'snapshot'] as const;

export function walRecords(bytes: Buffer): WalRecord[] {
  const records: WalRecord[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const frame = bytes.readBigUInt64LE(at);
    if (frame === 0n) break;
    const length = Number(frame & 0xff_ffff_ffff_ffffn);
    const padding = frame >> 63n ? Number((frame >> 56n) & 7n) : 0;
    const start = at + 8;
    const type = TYPES[(bytes[start + 1] ?? 0) - 1];
    if (type === undefined) break;
    let p = start + 4;
    while ((bytes[p - 1] ?? 0) >= 0x80) p++; // the CRC's varint
    if (type !== 'crc') {
      p++;
      while ((bytes[p++] ?? 0) >= 0x80); // the length of the data
    }
    records.push({ type, at, end: start + length + padding, dataAt: p, recordEnd: start + length });
    at = start + length + padding;
  }
  return records;
}

export const PAGE_BYTES = 4096;

export interface DbPage {
  readonly number: number;
  readonly kind: 'branch' | 'leaf';
  readonly count: number;
  readonly overflow: number;
  /** The bucket whose page it is; empty for the root's. */
  readonly bucket: string;
}

export interface Element {
  /** Where its header stands in the file. */
  readonly at: number;
  readonly keyAt: number;
  readonly keyLength: number;
  readonly valueAt: number;
  readonly valueLength: number;
}

const u32 = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at);

export function elements(bytes: Buffer, { number, kind, count }: DbPage): Element[] {
  return Array.from({ length: count }, (_, n) => {
    const at = number * PAGE_BYTES + 16 + n * 16;
    const leaf = kind === 'leaf';
    const keyAt = at + u32(bytes, at + (leaf ? 4 : 0));
    const keyLength = u32(bytes, at + (leaf ? 8 : 4));
    return { at, keyAt, keyLength, valueAt: keyAt + keyLength, valueLength: leaf ? u32(bytes, at + 12) : 0 };
  });
}

/** All pages that the newest tree of a whole database uses. */
export function dbPages(bytes: Buffer): DbPage[] {
  const meta = (page: number) => page * PAGE_BYTES + 16;
  const newest = bytes.readBigUInt64LE(meta(1) + 48) > bytes.readBigUInt64LE(meta(0) + 48) ? 1 : 0;
  const pages: DbPage[] = [];
  const walk = (number: number, bucket: string): void => {
    const at = number * PAGE_BYTES;
    const kind = bytes.readUInt16LE(at + 8) & 1 ? 'branch' : 'leaf';
    const page: DbPage = {
      number,
      kind,
      bucket,
      count: bytes.readUInt16LE(at + 10),
      overflow: u32(bytes, at + 12),
    };
    pages.push(page);
    for (const element of elements(bytes, page)) {
      if (kind === 'branch') walk(Number(bytes.readBigUInt64LE(element.at + 8)), bucket);
      else if (u32(bytes, element.at) & 1) {
        const root = Number(bytes.readBigUInt64LE(element.valueAt));
        if (root !== 0) walk(root, bytes.toString('utf8', element.keyAt, element.valueAt));
      }
    }
  };
  walk(Number(bytes.readBigUInt64LE(meta(newest) + 16)), '');
  return pages;
}
