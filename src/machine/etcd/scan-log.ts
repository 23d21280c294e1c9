import { buf as crc32c } from 'crc-32/crc32c.js';
import type { HeldDir } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';
import type { Damage } from './examination.ts';
import { FOUNDING_TERM, isOfFounding } from './founding.ts';
import { BYTES, decode, Fields, fieldsOf, type Schema, VARINT, varint64 } from './protobuf.ts';
import type { Snapshot } from './read-snapshots.ts';

/**
 * Reads a write-ahead log from its first file to its last, as etcd does when it starts (etcd 3.4: wal/wal.go,
 * `ValidSnapshotEntries` over all files and `ReadAll` from the file of the snapshot on; wal/decoder.go).
 *
 * A frame is a little-endian int64 (low 56 bits: the record's length; when negative, bits 56 to 58: padding) and a
 * record. The CRC runs over the data of all records, from file to file: each file begins with the CRC so far.
 */

/** wal/walpb/record.proto. */
const RECORD: Schema = { 1: VARINT, 2: VARINT, 3: BYTES };
/** wal/decoder.go, maxWALEntrySizeLimit, and minSectorSize. */
const MAX_RECORD_BYTES = 10 * 1024 * 1024;
const SECTOR_BYTES = 512;

/** One file of the log. */
export type Segment = ReturnType<typeof segmentsOf>[number];

/** etcd meets it only when it reads from the file of that place, or from an earlier one, on. */
type LogProblem = Damage & { readonly readFrom: number };

/**
 * The log's files among a directory's names, in their order (wal/util.go, `parseWALName`, which takes names with
 * fewer digits than etcd itself writes); with each the index of the first entry that it may hold.
 */
export function segmentsOf(names: readonly string[]) {
  return names.flatMap((name) => {
    const parts = /^([0-9a-f]{1,16})-([0-9a-f]{1,16})\.wal$/i.exec(name);
    return parts ? [{ name, sequence: Number(`0x${parts[1]}`), index: Number(`0x${parts[2]}`) }] : [];
  });
}

/** Whether a sector of a record's bytes, which begin at `at`, was never written (wal/decoder.go, `isTornEntry`). */
function hasEmptySector(bytes: Uint8Array, at: number): boolean {
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
    if (bytes.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}

type Take = (scan: LogScan, fields: Fields) => void;

/**
 * A type of record: what it is called, what is in its data, whether etcd meets one that it cannot decode whichever file
 * it starts from, and what is done with it.
 */
type RecordType = readonly [name: string, schema: Schema, always: boolean, take: Take];

const recordType = (...parts: RecordType): RecordType => parts;

/** The records by their type (wal/wal.go). */
const TYPES: Readonly<Record<number, RecordType>> = {
  1: recordType('metadata', { 1: VARINT, 2: VARINT }, false, (scan, fields) => {
    const id = (field: number) => varint64(fields.bytes(field)).toString(16);
    Object.assign(scan, { memberId: id(1), clusterId: id(2), metadataIn: scan.place });
  }),
  2: recordType('an entry', { 1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES }, false, (scan, fields) => {
    const [, type = 0, term = 0, index = 0] = fields.numbers;
    if (index > scan.lastEntry + 1) scan.jump = Math.max(scan.jump, index);
    scan.lastEntry = index;
    scan.lastTerm = term;
    scan.elected ||= term > FOUNDING_TERM;
    scan.founding &&= isOfFounding(type, term, fields.bytes(4));
  }),
  3: recordType('a state', { 1: VARINT, 2: VARINT, 3: VARINT }, true, (scan, { numbers }) => {
    const [, term = 0, , commit = 0] = numbers;
    Object.assign(scan, { term, commit });
  }),
  5: recordType('a snapshot record', { 1: VARINT, 2: VARINT }, true, (scan, { numbers }) => {
    const [, index = 0, term = 0] = numbers;
    scan.snapshots.push({ index, term });
    scan.founding &&= index === 0;
  }),
};
const METADATA = 1;
const CRC = 4;

/** A log, and what was read of it. */
export class LogScan {
  memberId = '';
  clusterId = '';
  /** The place, among all files, of the last that says whose data these are; -1 when none does. */
  metadataIn = -1;
  term = 0;
  commit = 0;
  /** The index of the last entry. */
  lastEntry = 0;
  /** The term of the last entry. */
  lastTerm = 0;
  /** The highest index of an entry that does not follow on the one before it; 0 when all do. */
  jump = 0;
  /** Every snapshot that was recorded, in order. */
  readonly snapshots: Snapshot[] = [];
  /** The log begins with its first file, and nothing but entries of a founding was read. */
  founding = false;
  /** It has an entry of a later term than the founding's: a leader has been elected, and this member has followed it. */
  elected = false;
  /** Reading ended at a record that is longer than etcd 3.4 takes. */
  tooLong = false;
  readonly problems: LogProblem[] = [];
  private crc = 0;
  private metadata: Buffer | undefined;
  private segments: readonly Segment[] = [];
  /** The place among all files of the one that is read, and the byte in it. */
  place = 0;
  private at = 0;

  /**
   * @param onlyKind stop as soon as it is known whose data these are and that they are more than a founding
   * @throws where a limit is reached, and what reading throws; what was read until then stays
   */
  read(dir: HeldDir, segments: readonly Segment[], budget: Budget, onlyKind: boolean): void {
    this.segments = segments;
    this.founding = segments[0]?.sequence === 0;
    for (const [place, { name }] of segments.entries()) {
      this.place = place;
      using held = dir.openFile(name);
      if (held === undefined) throw new Error(`${dir.path}/${name} was removed while it was read`);
      if (!this.file(new BoundedFile(held, budget), onlyKind)) return;
    }
  }

  /** @returns whether the next file is to be read */
  private file(file: BoundedFile, onlyKind: boolean): boolean {
    for (let next: number | 'next file' | 'stop' = 0; ; ) {
      if (typeof next !== 'number') return next === 'next file';
      if (onlyKind && !this.founding && this.memberId !== '') return false;
      this.at = next;
      next = this.frame(file);
    }
  }

  private problem(what: string, readFrom = this.place): void {
    const file = this.segments[this.place]?.name ?? '';
    if (this.problems.length < 100) this.problems.push({ file, at: this.at, what, readFrom });
  }

  /** etcd reads no further, whichever file it starts from. */
  private stop(what: string): 'stop' {
    this.problem(what, Number.POSITIVE_INFINITY);
    return 'stop';
  }

  /** A record that has no end: etcd cuts the log off there, if it is in the last file (wal/repair.go). */
  private cutOff(): 'stop' {
    const isLast = this.place === this.segments.length - 1;
    return isLast ? 'stop' : this.stop('the file ends inside a record');
  }

  /** @returns where the next frame begins */
  private frame(file: BoundedFile): number | 'next file' | 'stop' {
    const head = file.bytes(this.at, 8);
    if (head.length === 0) return 'next file';
    if (head.length < 8) return this.cutOff();
    const view = new DataView(head.buffer, head.byteOffset, 8);
    const [low, high] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (low === 0 && high === 0) return 'next file'; // preallocated space
    const length = (high & 0xffffff) * 2 ** 32 + low;
    const padding = high >>> 31 === 1 ? (high >>> 24) & 7 : 0;
    this.tooLong = length >= MAX_RECORD_BYTES - padding;
    if (this.tooLong) return this.stop(`max entry size limit exceeded: a record of ${length} bytes`);
    const bytes = file.bytes(this.at + 8, length + padding);
    if (bytes.length < length + padding) return this.cutOff();

    const record = new Fields(bytes);
    const decoded = decode(bytes, RECORD, record, length);
    const [, type = 0, sum = 0] = record.numbers;
    const crc = sum % 2 ** 32; // etcd keeps 32 bits of it (wal/walpb/record.pb.go)
    const data = record.bytes(3);
    const runs = decoded === 'whole' && type !== CRC;
    if (runs) this.crc = crc32c(data, this.crc) >>> 0;
    const fits = !runs || this.crc === crc;
    if (decoded === 'whole' && fits) return this.take(type, crc, data) ?? this.at + 8 + length + padding;
    const isLast = this.place === this.segments.length - 1;
    if (decoded === 'short' || (isLast && hasEmptySector(bytes, this.at + 8))) return this.cutOff();
    return this.stop(fits ? 'a record cannot be decoded' : 'crc mismatch');
  }

  private take(type: number, crc: number, data: Uint8Array): 'stop' | undefined {
    if (type === CRC) {
      if (this.crc !== 0 && this.crc !== crc) return this.stop('crc mismatch with the file before');
      this.crc = crc;
      return undefined;
    }
    if (type === METADATA) {
      const metadata = Buffer.from(data);
      // Those of an earlier file count only when etcd reads that one too.
      if (this.metadata?.equals(metadata) === false)
        this.problem('conflicting metadata found', this.place - 1);
      this.metadata = metadata;
    }
    const [name = `unexpected block type ${type}`, schema, always, take] = TYPES[type] ?? [];
    const fields = schema && fieldsOf(data, schema);
    if (fields && take) take(this, fields);
    else if (always) return this.stop(`${name} cannot be decoded`);
    else this.problem(schema ? `${name} cannot be decoded` : name);
    return undefined;
  }
}
