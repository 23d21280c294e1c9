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
  /** Where and why reading stopped before the end; what was read up to there is true. */
  readonly damage?: string;
}

const RECORD = { metadata: 1n, entry: 2n, state: 3n, crc: 4n, snapshot: 5n } as const;
/** wal/decoder.go, maxWALEntrySizeLimit. */
const MAX_RECORD_BYTES = 10 * 1024 * 1024;

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** Go's hash/crc32 `Update` with the Castagnoli table. */
export function updateCrc(crc: number, data: Uint8Array): number {
  let c = ~crc >>> 0;
  for (const byte of data) c = ((CASTAGNOLI[(c ^ byte) & 0xff] as number) ^ (c >>> 8)) >>> 0;
  return ~c >>> 0;
}

type Fields = ReadonlyMap<number, bigint | Uint8Array>;

/** The varint and length-delimited fields of one protobuf message; throws on anything else. */
export function readFields(bytes: Uint8Array): Fields {
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

const bytesOf = (fields: Fields, field: number): Uint8Array => {
  const value = fields.get(field) ?? new Uint8Array();
  if (typeof value === 'bigint') throw new Error(`field ${field} is not bytes`);
  return value;
};

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
  let crc = 0;
  let ids: Pick<WalFacts, 'memberId' | 'clusterId'> | undefined;
  let [term, commit, lastIndex] = [0n, 0n, 0n];
  let damage: string | undefined;
  let at = 0;
  try {
    while (at + 8 <= bytes.length) {
      const frame = view.getBigInt64(at, true);
      if (frame === 0n) break; // preallocated space
      const length = Number(BigInt.asUintN(56, frame));
      const padding = frame < 0n ? Number((BigInt.asUintN(64, frame) >> 56n) & 7n) : 0;
      if (length > MAX_RECORD_BYTES) throw new Error(`a record of ${length} bytes`);
      if (at + 8 + length + padding > bytes.length) {
        if (!whole) return undefined;
        throw new Error('a record is cut short');
      }
      const record = readFields(bytes.subarray(at + 8, at + 8 + length));
      const type = numberOf(record, 1);
      const data = bytesOf(record, 3);
      const stored = Number(BigInt.asUintN(32, numberOf(record, 2)));
      if (type === RECORD.crc) {
        crc = stored;
      } else {
        crc = updateCrc(crc, data);
        if (crc !== stored) throw new Error('crc mismatch');
      }
      if (type === RECORD.metadata) {
        const metadata = readFields(data);
        ids = { memberId: numberOf(metadata, 1).toString(16), clusterId: numberOf(metadata, 2).toString(16) };
      } else if (type === RECORD.state) {
        const state = readFields(data);
        term = numberOf(state, 1);
        commit = numberOf(state, 3);
      } else if (type === RECORD.entry) {
        lastIndex = numberOf(readFields(data), 3);
      } else if (type !== RECORD.crc && type !== RECORD.snapshot) {
        throw new Error(`a record of type ${type}`);
      }
      at += 8 + length + padding;
      if (at + 8 > bytes.length && !whole) return undefined;
    }
  } catch (error) {
    damage = `${(error as Error).message} at byte ${at}`;
  }
  if (ids === undefined) throw new Error(`no metadata: ${damage ?? 'the file is empty'}`);
  return { ...ids, term, commit, lastIndex, ...(damage === undefined ? {} : { damage }) };
}
