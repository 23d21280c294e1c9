import type { HeldDir } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';
import { updateCrc } from './crc32c.ts';
import { ENTRY, FOUNDING_TERM, isOfFounding } from './founding.ts';
import { BYTES, readMessage, VARINT, varint64 } from './protobuf.ts';

/**
 * Reads a write-ahead log from its first file to its last, as etcd does when it starts (etcd 3.4: wal/wal.go,
 * `ValidSnapshotEntries` over all files and `ReadAll` from the file of the snapshot on; wal/decoder.go;
 * wal/walpb/record.proto).
 *
 * A frame is a little-endian int64 (low 56 bits: the record's length; when negative, bits 56 to 58: padding) and a
 * record. The CRC runs over the data of all records, from file to file: each begins with the CRC so far.
 */

const RECORD = { 1: VARINT, 2: VARINT, 3: BYTES } as const;
const TYPE = { metadata: 1, entry: 2, state: 3, crc: 4, snapshot: 5 } as const;
/** etcdserver.proto, `Metadata`; raft.proto, `HardState`; walpb/record.proto, `Snapshot`. */
const METADATA = { 1: VARINT, 2: VARINT } as const;
const HARD_STATE = { 1: VARINT, 2: VARINT, 3: VARINT } as const;
const SNAPSHOT = { 1: VARINT, 2: VARINT } as const;
/** wal/decoder.go, maxWALEntrySizeLimit, and minSectorSize. */
const MAX_RECORD_BYTES = 10 * 1024 * 1024;
const SECTOR_BYTES = 512;

export interface Segment {
  readonly name: string;
  readonly sequence: number;
  /** The index of the first entry that it may hold. */
  readonly index: number;
}

interface WalProblem {
  readonly segment: Segment;
  readonly at: number;
  readonly what: string;
  /** etcd meets it only when it reads on from this file or an earlier one; undefined: always. */
  readonly readFrom?: number;
}

export interface WalScan {
  memberId: string;
  clusterId: string;
  term: number;
  commit: number;
  /** The index of the last entry. */
  lastEntry: number;
  /** The highest index of an entry that does not follow on the one before it, 0 when all do. */
  jump: number;
  /** Every snapshot that was recorded, in order. */
  readonly snapshots: { readonly index: number; readonly term: number }[];
  /** Nothing but entries of a founding, from the first file on. */
  founding: boolean;
  /** It has an entry of a later term than the founding's: a leader has been elected, and this member has followed it. */
  elected: boolean;
  /** The last record was torn when it was written: etcd cuts the log off here (wal/repair.go). */
  torn: { readonly segment: Segment; readonly at: number } | undefined;
  readonly problems: WalProblem[];
}

/** The WAL files among a directory's names (wal/util.go, `parseWALName`), by sequence. */
export function segmentsOf(names: readonly string[]): Segment[] {
  return names.flatMap((name) => {
    const parts = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/.exec(name);
    return parts ? [{ name, sequence: Number(`0x${parts[1]}`), index: Number(`0x${parts[2]}`) }] : [];
  });
}

/** Whether a sector of a record's bytes was never written (wal/decoder.go, `isTornEntry`). */
function hasEmptySector(bytes: Uint8Array, at: number): boolean {
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
    if (bytes.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}

/**
 * @param onlyKind stop as soon as it is known whose data these are and that they are more than a founding
 * @throws LimitReached and what reading throws; `into` holds what was read until then
 */
export function scanWal(
  dir: HeldDir,
  segments: readonly Segment[],
  budget: Budget,
  onlyKind: boolean,
  into: WalScan,
): void {
  let crc = 0;
  let metadata: string | undefined;
  into.founding = segments[0]?.sequence === 0;

  const readSegment = (file: BoundedFile, segment: Segment, n: number): 'next' | 'stop' => {
    const isLast = n === segments.length - 1;
    const record = { type: 0, crc: 0, from: 0, to: 0 };
    const entry = { type: 0, term: 0, index: 0, from: 0, to: 0 };

    for (let at = 0; ; ) {
      const stop = (what: string): 'stop' => {
        into.problems.push({ segment, at, what });
        return 'stop';
      };
      const problem = (what: string, readFrom = n): void => {
        if (into.problems.length < 10) into.problems.push({ segment, at, what, readFrom });
      };
      /** A record that has no end is cut off by etcd where nothing can follow it. */
      const torn = (): 'stop' => {
        into.torn = { segment, at };
        return 'stop';
      };

      const head = file.bytes(at, 8);
      if (head.length === 0) return 'next';
      if (head.length < 8) return isLast ? torn() : stop('the file ends inside a record');
      const view = new DataView(head.buffer, head.byteOffset, 8);
      const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
      if (low === 0 && high === 0) return 'next'; // preallocated space
      const length = (high & 0xffffff) * 2 ** 32 + low;
      const padding = high >>> 31 === 1 ? (high >>> 24) & 7 : 0;
      if (length >= MAX_RECORD_BYTES - padding)
        return stop(`a record of ${length} bytes: max entry size limit exceeded`);
      const bytes = file.bytes(at + 8, length + padding);
      if (bytes.length < length + padding) return isLast ? torn() : stop('the file ends inside a record');
      const broken = (what: string): 'stop' =>
        isLast && hasEmptySector(bytes, at + 8) ? torn() : stop(what);

      record.type = record.crc = record.from = record.to = 0;
      const whole = readMessage(bytes, 0, length, RECORD, (field, value, from, to) => {
        if (field === 1) record.type = value;
        else if (field === 2) record.crc = value % 2 ** 32;
        else if (field === 3) [record.from, record.to] = [from, to];
      });
      if (!whole) return broken('a record cannot be decoded');
      const { from, to } = record;
      if (record.type !== TYPE.crc) {
        crc = updateCrc(crc, bytes, from, to);
        if (crc !== record.crc) return broken('crc mismatch');
      }

      switch (record.type) {
        case TYPE.crc:
          if (crc !== 0 && crc !== record.crc) return stop('crc mismatch between the files of the log');
          crc = record.crc;
          break;
        case TYPE.metadata: {
          const text = Buffer.from(bytes.subarray(from, to)).toString('hex');
          if (metadata !== undefined && text !== metadata) problem('conflicting metadata', n - 1);
          metadata = text;
          readMessage(bytes, from, to, METADATA, (field, _, start, end) => {
            if (field === 1) into.memberId = varint64(bytes, start, end).toString(16);
            if (field === 2) into.clusterId = varint64(bytes, start, end).toString(16);
          });
          break;
        }
        case TYPE.entry: {
          entry.type = entry.term = entry.index = entry.from = entry.to = 0;
          const decoded = readMessage(bytes, from, to, ENTRY, (field, value, start, end) => {
            if (field === 1) entry.type = value;
            else if (field === 2) entry.term = value;
            else if (field === 3) entry.index = value;
            else if (field === 4) [entry.from, entry.to] = [start, end];
          });
          if (!decoded) {
            problem('an entry cannot be decoded');
            break;
          }
          if (entry.index > into.lastEntry + 1) into.jump = Math.max(into.jump, entry.index);
          into.lastEntry = entry.index;
          into.elected ||= entry.term > FOUNDING_TERM;
          into.founding &&= isOfFounding(entry.type, entry.term, bytes, entry.from, entry.to);
          break;
        }
        case TYPE.state: {
          into.term = into.commit = 0;
          const decoded = readMessage(bytes, from, to, HARD_STATE, (field, value) => {
            if (field === 1) into.term = value;
            else if (field === 3) into.commit = value;
          });
          if (!decoded) return stop('a state cannot be decoded');
          break;
        }
        case TYPE.snapshot: {
          const snapshot = { index: 0, term: 0 };
          const decoded = readMessage(bytes, from, to, SNAPSHOT, (field, value) => {
            if (field === 1) snapshot.index = value;
            else if (field === 2) snapshot.term = value;
          });
          if (!decoded) return stop('a snapshot record cannot be decoded');
          into.snapshots.push(snapshot);
          into.founding &&= snapshot.index === 0;
          break;
        }
        default:
          problem(`a record of the unknown type ${record.type}`);
      }
      if (onlyKind && !into.founding && into.memberId !== '') return 'stop';
      at += 8 + length + padding;
    }
  };

  for (const [n, segment] of segments.entries()) {
    const held = dir.openFile(segment.name);
    if (held === undefined) throw new Error(`${dir.path}/${segment.name} was removed while it was read`);
    try {
      if (readSegment(new BoundedFile(held, budget), segment, n) === 'stop') return;
    } finally {
      held.close();
    }
  }
}
