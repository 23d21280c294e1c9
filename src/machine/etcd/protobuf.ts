/**
 * Reads protobuf messages as etcd's generated code does (gogo/protobuf, `Unmarshal` in the *.pb.go files), and
 * refuses what that refuses: nothing is copied and nothing allocated, because a WAL has a million messages.
 */

export const VARINT = 0;
export const BYTES = 2;

/** The wire type of each known field, by its number; a field that is not named is skipped, as etcd does. */
export type Schema = Readonly<Record<number, typeof VARINT | typeof BYTES>>;

/**
 * What is done with a field, known or not: of a VARINT `value` is its number (exact to 2^53), of BYTES their
 * length, else NaN; `from` to `to` is where the varint or the bytes stand.
 */
export type OnField = (field: number, value: number, from: number, to: number) => void;

const ILL_FORMED = -1;

/** Where the varint at `at` ends, or ILL_FORMED: it has at most ten bytes (`ErrIntOverflow`). */
function endOfVarint(bytes: Uint8Array, at: number, end: number): number {
  for (let p = at; p < end && p < at + 10; p++) if ((bytes[p] as number) < 0x80) return p + 1;
  return ILL_FORMED;
}

function varint(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let p = to - 1; p >= from; p--) value = value * 128 + ((bytes[p] as number) & 0x7f);
  return value;
}

/** All 64 bits of a varint that stands from `from` to `to`. */
export function varint64(bytes: Uint8Array, from: number, to: number): bigint {
  let value = 0n;
  for (let p = to - 1; p >= from; p--) value = (value << 7n) | BigInt((bytes[p] as number) & 0x7f);
  return BigInt.asUintN(64, value);
}

/** Where the field behind a tag ends (`skipRecord` and its like), or ILL_FORMED. */
function endOfField(bytes: Uint8Array, wire: number, at: number, end: number): number {
  if (wire === VARINT) return endOfVarint(bytes, at, end);
  if (wire === 1) return at + 8;
  if (wire === 5) return at + 4;
  if (wire === BYTES) {
    const from = endOfVarint(bytes, at, end);
    return from === ILL_FORMED ? ILL_FORMED : from + varint(bytes, at, from);
  }
  if (wire !== 3) return ILL_FORMED;
  // A group: fields and further groups, until the tag that ends it.
  for (let [p, depth] = [at, 1]; ; ) {
    const tagEnd = endOfVarint(bytes, p, end);
    if (tagEnd === ILL_FORMED) return ILL_FORMED;
    const inner = (bytes[p] as number) & 7;
    if (inner === 4 && --depth === 0) return tagEnd;
    if (inner === 3) depth++;
    p = inner === 3 || inner === 4 ? tagEnd : endOfField(bytes, inner, tagEnd, end);
    if (p === ILL_FORMED || p > end) return ILL_FORMED;
  }
}

/**
 * Reads the message that stands from `start` to `end`.
 * @returns whether etcd's `Unmarshal` takes it; fields before the one that it refuses have been handed over
 */
export function readMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  schema: Schema,
  onField?: OnField,
): boolean {
  for (let at = start; at < end; ) {
    const tagEnd = endOfVarint(bytes, at, end);
    if (tagEnd === ILL_FORMED) return false;
    const tag = varint(bytes, at, tagEnd);
    const wire = (bytes[at] as number) & 7;
    // The field number is the lower 32 bits of what stands behind the wire type, read with its sign.
    const field = (Math.floor(tag / 8) % 2 ** 32) | 0;
    if (wire === 4 || field <= 0 || (schema[field] ?? wire) !== wire) return false;
    const next = endOfField(bytes, wire, tagEnd, end);
    if (next === ILL_FORMED || next > end) return false;
    if (onField !== undefined) {
      const from = wire === BYTES ? endOfVarint(bytes, tagEnd, end) : tagEnd;
      onField(
        field,
        wire === VARINT ? varint(bytes, from, next) : wire === BYTES ? next - from : Number.NaN,
        from,
        next,
      );
    }
    at = next;
  }
  return true;
}
