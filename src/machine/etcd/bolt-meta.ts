/**
 * What a bbolt file says of itself in its two meta pages, without opening it (bbolt: db.go `meta`, page.go):
 * behind a page header of 16 bytes stand magic, version, page size and flags (32 bits each), the root bucket (16
 * bytes), the free list, the high-water mark in pages, the transaction ID and an FNV-1a checksum of all that.
 */

const PAGE_HEADER_BYTES = 16;
const CHECKED_BYTES = 56;
const MAGIC = 0xed0cdaed;

/** As much of the file's beginning as holds both meta pages, for pages of up to 16 KiB. */
export const META_BYTES = 16_384 + PAGE_HEADER_BYTES + CHECKED_BYTES + 8;

function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function metaAt(head: Uint8Array, at: number) {
  const start = at + PAGE_HEADER_BYTES;
  if (head.length < start + CHECKED_BYTES + 8) return undefined;
  const view = new DataView(head.buffer, head.byteOffset + start, CHECKED_BYTES + 8);
  const checksum = view.getBigUint64(CHECKED_BYTES, true);
  if (view.getUint32(0, true) !== MAGIC || checksum !== fnv1a64(head.subarray(start, start + CHECKED_BYTES)))
    return undefined;
  return {
    pageSize: view.getUint32(8, true),
    pages: view.getBigUint64(40, true),
    transaction: view.getBigUint64(48, true),
  };
}

/**
 * How many bytes the file must have at least by its newest valid meta page; undefined when neither is valid. A
 * shorter file has lost pages that its tree may refer to: bbolt grows the file before it writes a page.
 */
export function neededBytes(head: Uint8Array): number | undefined {
  const first = metaAt(head, 0);
  // The second page's place depends on the page size, which the first may no longer tell.
  const second = [first?.pageSize, 4096, 8192, 16_384]
    .flatMap((size) => (size ? [metaAt(head, size)] : []))
    .find(Boolean);
  const valid = [first, second].filter((meta) => meta !== undefined);
  const newest = valid.reduce((a, b) => (a && a.transaction > b.transaction ? a : b), valid[0]);
  return newest && Number(newest.pages) * newest.pageSize;
}
