/** Eight tables, so that eight bytes are taken at a time: a WAL has up to 64 MB a file, and every byte counts. */
const TABLES = new Int32Array(8 * 256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  TABLES[n] = c;
}
for (let n = 256; n < TABLES.length; n++) {
  const before = TABLES[n - 256] as number;
  TABLES[n] = (before >>> 8) ^ (TABLES[before & 0xff] as number);
}

/** Go's hash/crc32 `Update` with the Castagnoli table, over `data` from `start` to `end`. */
export function updateCrc(crc: number, data: Uint8Array, start = 0, end = data.length): number {
  const t = TABLES;
  const b = data;
  let c = ~crc;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    c ^=
      (b[at] as number) |
      ((b[at + 1] as number) << 8) |
      ((b[at + 2] as number) << 16) |
      ((b[at + 3] as number) << 24);
    c =
      (t[0x700 + (c & 0xff)] as number) ^
      (t[0x600 + ((c >>> 8) & 0xff)] as number) ^
      (t[0x500 + ((c >>> 16) & 0xff)] as number) ^
      (t[0x400 + (c >>> 24)] as number) ^
      (t[0x300 + (b[at + 4] as number)] as number) ^
      (t[0x200 + (b[at + 5] as number)] as number) ^
      (t[0x100 + (b[at + 6] as number)] as number) ^
      (t[b[at + 7] as number] as number);
  }
  for (; at < end; at++) c = (t[(c ^ (b[at] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
