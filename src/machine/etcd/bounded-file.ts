import type { HeldFile } from '../os/held-dir.ts';
import type { ExamineOptions } from './examination.ts';

/**
 * Takes bytes off what may still be read, over all files of one examination.
 * @throws where a limit is reached: what was not read then says nothing about the data
 */
export type Budget = (bytes: number) => void;

export function budgetOf({ bytes, ms }: Pick<ExamineOptions, 'bytes' | 'ms'>): Budget {
  const endsAtMs = performance.now() + ms;
  let left = bytes;
  return (spent) => {
    left -= spent;
    if (left < 0) throw new Error(`the limit of ${bytes} bytes was reached`);
    if (performance.now() > endsAtMs) throw new Error(`the limit of ${ms} ms was reached`);
  };
}

const CHUNK_BYTES = 128 * 1024;
/** The pages of an old database lie in no order: what follows one is not the one that is asked for next. */
const JUMP_BYTES = 8192;

/**
 * A file read through one buffer that is kept: memory stays flat however large the file is, and grows to the
 * longest piece that is asked for, which the callers bound.
 */
export class BoundedFile {
  private buffer = new Uint8Array(CHUNK_BYTES);
  private start = 0;
  private filled = 0;
  readonly size: number;

  constructor(
    private readonly file: HeldFile,
    readonly spend: Budget,
  ) {
    this.size = file.size;
  }

  /** `length` bytes from `at` on, fewer where the file ends. They are valid until the next call. */
  bytes(at: number, length: number): Uint8Array {
    if (at < this.start || at + length > this.start + this.filled) {
      const goesOn = at >= this.start && at <= this.start + this.filled;
      const most = Math.max(length, goesOn ? CHUNK_BYTES : JUMP_BYTES);
      if (most > this.buffer.length) this.buffer = new Uint8Array(most);
      this.filled = 0;
      this.filled = at < this.size ? this.file.read(this.buffer.subarray(0, most), at) : 0;
      this.start = at;
      this.spend(this.filled);
    }
    const from = at - this.start;
    return this.buffer.subarray(from, Math.min(from + length, this.filled));
  }
}
