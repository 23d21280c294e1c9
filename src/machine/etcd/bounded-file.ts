import type { HeldFile } from '../os/held-dir.ts';
import type { ExamineOptions } from './examination.ts';

/** Thrown where a limit is reached: what was not read then says nothing about the data. */
class LimitReached extends Error {}

/** What may still be read, counted over all files of one examination. */
export class Budget {
  private left: number;
  private readonly endsAtMs: number;

  constructor(private readonly limits: Pick<ExamineOptions, 'bytes' | 'ms'>) {
    this.left = limits.bytes;
    this.endsAtMs = performance.now() + limits.ms;
  }

  /** @throws LimitReached */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw new LimitReached(`the limit of ${this.limits.bytes} bytes was reached`);
    if (performance.now() > this.endsAtMs)
      throw new LimitReached(`the limit of ${this.limits.ms} ms was reached`);
  }
}

const CHUNK_BYTES = 128 * 1024;

/**
 * A file read through one buffer that is kept: memory stays flat however large the file is, and grows to the
 * longest piece that is asked for, which the callers bound.
 */
export class BoundedFile {
  private buffer = Buffer.alloc(CHUNK_BYTES);
  private start = 0;
  private filled = 0;

  constructor(
    private readonly file: HeldFile,
    private readonly budget: Budget,
  ) {}

  get size(): number {
    return this.file.size;
  }

  /** `length` bytes from `at` on, fewer where the file ends. They are valid until the next call. */
  bytes(at: number, length: number): Uint8Array {
    if (at < this.start || at + length > this.start + this.filled) {
      if (length > this.buffer.length) this.buffer = Buffer.alloc(length);
      this.filled = 0;
      this.filled = at < this.size ? this.file.read(this.buffer, at) : 0;
      this.start = at;
      this.budget.spend(this.filled);
    }
    const from = at - this.start;
    return this.buffer.subarray(from, Math.min(from + length, this.filled));
  }
}
