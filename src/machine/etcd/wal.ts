/**
 * What a write-ahead log says of itself, without starting etcd (etcd 3.4: wal/encoder.go, wal/decoder.go,
 * wal/walpb/record.proto, raft/raftpb/raft.proto, etcdserver/etcdserverpb/etcdserver.proto).
 *
 * A frame is a little-endian int64 (low 56 bits: record length; when negative, bits 56 to 58: padding) and a
 * `walpb.Record {type=1, crc=2, data=3}`; the CRC runs over the data of all records since the file's first.
 */

export interface WalFacts {
  /** Hexadecimal, as etcdctl prints it. */
  readonly memberId: string;
  readonly clusterId: string;
  readonly term: bigint;
  /** The highest index that this member knew to be committed when it last wrote its state. */
  readonly commit: bigint;
  /** The index of the last entry. */
  readonly lastIndex: bigint;
  /** It holds nothing but whose it is: no entry, no vote, no snapshot. */
  readonly blank?: true;
  /** Where and why reading stopped before the end; what was read up to there is true. */
  readonly damage?: string;
}

const RECORD = { metadata: 1, entry: 2, state: 3, crc: 4, snapshot: 5 } as const;
/** wal/decoder.go, maxWALEntrySizeLimit. */
const MAX_RECORD_BYTES = 10 * 1024 * 1024;

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** Go's hash/crc32 `Update` with the Castagnoli table, over `data` from `start` to `end`. */
export function updateCrc(crc: number, data: Uint8Array, start = 0, end = data.length): number {
  let c = ~crc;
  for (let at = start; at < end; at++)
    c = (CASTAGNOLI[(c ^ (data[at] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}

type Fields = ReadonlyMap<number, bigint | Uint8Array>;

/** The varint and length-delimited fields of one protobuf message; throws on anything else. */
function readFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, bigint | Uint8Array>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a message is cut short');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('a varint is too long');
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    if (key >>> 3 === 0) throw new Error('a tag is illegal');
    if (wire === 0) {
      fields.set(key >>> 3, varint());
    } else if (wire === 2) {
      const length = Number(varint());
      if (length > bytes.length - at) throw new Error('a message is cut short');
      fields.set(key >>> 3, bytes.subarray(at, at + length));
      at += length;
    } else {
      throw new Error(`wire type ${wire} is not one of etcd's`);
    }
  }
  return fields;
}

const numberOf = (fields: Fields, field: number): bigint => {
  const value = fields.get(field) ?? 0n;
  if (typeof value !== 'bigint') throw new Error(`field ${field} is not a number`);
  return value;
};

interface Span {
  readonly start: number;
  readonly end: number;
}

/** One `walpb.Record` that stands from `at` to `end`. A log of 64 MiB has a million: no objects, no bigints. */
function readRecord(bytes: Uint8Array, at: number, end: number): { type: number; crc: number } & Span {
  const record = { type: 0, crc: 0, start: end, end };
  let p = at;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1, n = 0; n < 10; n++, scale *= 128) {
      if (p >= end) throw new Error('a message is cut short');
      const byte = bytes[p++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('a varint is too long');
  };
  while (p < end) {
    const tag = varint();
    if (tag < 8) throw new Error('a tag is illegal');
    if (tag === 0x08) record.type = varint();
    else if (tag === 0x10) record.crc = varint();
    else if (tag === 0x1a) {
      const length = varint();
      if (length > end - p) throw new Error('a message is cut short');
      record.start = p;
      p += length;
      record.end = p;
    } else throw new Error(`tag ${tag} is not one of a record's`);
  }
  return record;
}

/**
 * Reads one WAL file, or its beginning: a file is preallocated to 64 MiB, and most of it is not written yet.
 * Each file begins with the CRC so far, the metadata and the state (wal/wal.go, `cut`), so the newest file
 * alone says whose data these are and how far they go.
 * @param whole whether `bytes` are the whole file
 * @returns undefined when more of the file is needed
 * @throws when not even the metadata can be read.
 */
export function readWalFile(bytes: Uint8Array, whole: boolean): WalFacts | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = new Map<number, Span>();
  let [crc, at] = [0, 0];
  let damage: string | undefined;
  try {
    while (at + 8 <= bytes.length) {
      const [low, high] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (low === 0 && high === 0) break; // preallocated space
      const length = (high & 0xffffff) * 2 ** 32 + low;
      const padding = high >>> 31 === 1 ? (high >>> 24) & 7 : 0;
      if (length > MAX_RECORD_BYTES) throw new Error(`a record of ${length} bytes`);
      const next = at + 8 + length + padding;
      if (next > bytes.length) {
        if (!whole) return undefined;
        throw new Error('a record is cut short');
      }
      const record = readRecord(bytes, at + 8, at + 8 + length);
      if (record.type < RECORD.metadata || record.type > RECORD.snapshot)
        throw new Error(`a record of type ${record.type}`);
      if (record.type === RECORD.crc) crc = record.crc;
      else crc = updateCrc(crc, bytes, record.start, record.end);
      if (crc !== record.crc) throw new Error('crc mismatch');
      last.set(record.type, record);
      at = next;
      if (at + 8 > bytes.length && !whole) return undefined;
    }
  } catch (error) {
    damage = `${(error as Error).message} at byte ${at}`;
  }
  const lastOf = (type: number): Fields => {
    const span = last.get(type);
    try {
      return span ? readFields(bytes.subarray(span.start, span.end)) : new Map();
    } catch (error) {
      damage ??= `${(error as Error).message} at byte ${span?.start}`;
      return new Map();
    }
  };
  const metadata = lastOf(RECORD.metadata);
  if (!metadata.has(1)) throw new Error(`no metadata: ${damage ?? 'the file is empty'}`);
  const [state, entry, snapshot] = [lastOf(RECORD.state), lastOf(RECORD.entry), lastOf(RECORD.snapshot)];
  // HardState.vote and commit, Entry.Index, Snapshot.index
  const numbers = [state.get(2), state.get(3), entry.get(3), snapshot.get(1)];
  return {
    memberId: numberOf(metadata, 1).toString(16),
    clusterId: numberOf(metadata, 2).toString(16),
    term: numberOf(state, 1),
    commit: numberOf(state, 3),
    lastIndex: numberOf(entry, 3),
    ...(damage === undefined ? {} : { damage }),
    ...(damage === undefined && numbers.every((number) => (number ?? 0n) === 0n) ? { blank: true } : {}),
  };
}
