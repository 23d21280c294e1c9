/**
 * Reads protobuf messages as etcd's generated code does (gogo/protobuf, `Unmarshal` in the *.pb.go files), and
 * refuses what that refuses.
 */

export const VARINT = 0;
export const BYTES = 2;

/** The wire type of each known field, by its number; a field that is not named is skipped, as etcd does. */
export type Schema = Readonly<Record<number, typeof VARINT | typeof BYTES>>;

/**
 * Whether `Unmarshal` takes a message. A short one ends before its last field does (io.ErrUnexpectedEOF), which etcd
 * takes for a record that was not written to its end.
 */
export type Decoded = 'whole' | 'short' | 'ill-formed';

/** The last of each field of a message by its number. */
export class Fields {
  /** A varint's value, exact to 2^53. */
  readonly numbers: number[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];

  constructor(private readonly message: Uint8Array) {}

  /** The bytes of a field, or those of a varint; none where the message has no such field. */
  bytes(field: number): Uint8Array {
    return this.message.subarray(this.from[field] ?? 0, this.to[field] ?? 0);
  }
}

const SHORT = -1;
const ILL_FORMED = -2;

/** Where the varint at `at` ends; it has at most ten bytes (`ErrIntOverflow`). */
function endOfVarint(bytes: Uint8Array, at: number, end: number): number {
  for (let p = at; p < at + 10; p++) {
    if (p >= end) return SHORT;
    if ((bytes[p] as number) < 0x80) return p + 1;
  }
  return ILL_FORMED;
}

function varint(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let p = to - 1; p >= from; p--) value = value * 128 + ((bytes[p] as number) & 0x7f);
  return value;
}

/** All 64 bits of a varint. */
export function varint64(bytes: Uint8Array): bigint {
  const value = bytes.reduceRight((high, byte) => (high << 7n) | BigInt(byte & 0x7f), 0n);
  return BigInt.asUintN(64, value);
}

/** Where the field behind a tag ends (`skipRecord` and its like), which may be behind the message's end. */
function endOfField(bytes: Uint8Array, wire: number, at: number, end: number): number {
  if (wire === VARINT) return endOfVarint(bytes, at, end);
  if (wire === 1) return at + 8;
  if (wire === 5) return at + 4;
  if (wire === BYTES) {
    const from = endOfVarint(bytes, at, end);
    const length = from < 0 ? 0 : varint(bytes, at, from);
    return length < 2 ** 63 ? from + length : ILL_FORMED;
  }
  if (wire !== 3) return ILL_FORMED;
  // A group: fields and further groups, until the tag that ends it.
  for (let [p, depth] = [at, 1]; ; ) {
    const tagEnd = endOfVarint(bytes, p, end);
    if (tagEnd < 0) return tagEnd;
    const inner = (bytes[p] as number) & 7;
    if (inner === 4 && --depth === 0) return tagEnd;
    if (inner === 3) depth++;
    p = inner === 3 || inner === 4 ? tagEnd : endOfField(bytes, inner, tagEnd, end);
    if (p < 0) return p;
  }
}

/**
 * Reads a message.
 * @param into is given its fields, known or not, as far as they were read
 * @param end where it ends; what is behind that is none of it
 */
export function decode(bytes: Uint8Array, schema: Schema, into?: Fields, end = bytes.length): Decoded {
  for (let at = 0; at < end; ) {
    const tagEnd = endOfVarint(bytes, at, end);
    if (tagEnd < 0) return tagEnd === SHORT ? 'short' : 'ill-formed';
    const wire = (bytes[at] as number) & 7;
    // The field number is the lower 32 bits of what stands behind the wire type, read with its sign.
    const field = (Math.floor(varint(bytes, at, tagEnd) / 8) % 2 ** 32) | 0;
    if (wire === 4 || field <= 0 || (schema[field] ?? wire) !== wire) return 'ill-formed';
    const next = endOfField(bytes, wire, tagEnd, end);
    if (next === ILL_FORMED) return 'ill-formed';
    if (next === SHORT || next > end) return 'short';
    if (into !== undefined) {
      const from = wire === BYTES ? endOfVarint(bytes, tagEnd, end) : tagEnd;
      into.numbers[field] = wire === VARINT ? varint(bytes, from, next) : Number.NaN;
      into.from[field] = from;
      into.to[field] = next;
    }
    at = next;
  }
  return 'whole';
}

/** The fields of a message; undefined where etcd does not take it. */
export function fieldsOf(bytes: Uint8Array, schema: Schema): Fields | undefined {
  const fields = new Fields(bytes);
  return decode(bytes, schema, fields) === 'whole' ? fields : undefined;
}
