import { drainMicrotasks } from 'bun:jsc';

/** Seeded randomness: the same seed tells the same story (sfc32, by Chris Doty-Humphrey; public domain). */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.imul(seed, 0x9e3779b9) | 0;
    this.c = 0x2545f491;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** In [0, 1). */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return (t >>> 0) / 4294967296;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  between(least: number, most: number): number {
    return Math.floor(least + this.next() * (most - least + 1));
  }

  shuffled<T>(items: readonly T[]): T[] {
    const all = [...items];
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.between(0, i);
      [all[i], all[j]] = [all[j] as T, all[i] as T];
    }
    return all;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => unknown;
}

/** Virtual time: what is due happens in its order, one thing at a time. */
export class Clock {
  nowMs = Date.UTC(2026, 0, 1);
  events = 0;
  private readonly heap: Due[] = [];

  /** Does something `ms` from now; `act` returns false when nobody who waits goes on because of it. */
  after(ms: number, act: () => unknown): void {
    const due = { atMs: this.nowMs + Math.max(0, ms), order: this.order++, act };
    const { heap } = this;
    heap.push(due);
    for (let i = heap.length - 1; i > 0; ) {
      const up = (i - 1) >> 1;
      if (!before(due, heap[up] as Due)) break;
      [heap[i], heap[up]] = [heap[up] as Due, due];
      i = up;
    }
  }
  private order = 0;

  private take(): Due | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let least = 2 * i + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && before(heap[least + 1] as Due, heap[least] as Due)) least++;
      if (!before(heap[least] as Due, last)) break;
      heap[i] = heap[least] as Due;
      i = least;
    }
    heap[i] = last;
    return first;
  }

  /** Goes on until `ended`, or until nothing is due within `limitMs`. Everything awaited is settled in between. */
  run(limitMs: number, ended: () => boolean): void {
    const endMs = this.nowMs + limitMs;
    drainMicrotasks();
    while (!ended()) {
      if ((this.heap[0]?.atMs ?? Number.POSITIVE_INFINITY) > endMs) break;
      const due = this.take();
      if (due === undefined) break;
      this.nowMs = due.atMs;
      this.events++;
      if (due.act() !== false) drainMicrotasks();
    }
    if (!ended()) this.nowMs = Math.max(this.nowMs, endMs);
  }
}

const before = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
