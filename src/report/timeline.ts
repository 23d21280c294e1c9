import prettyMs from 'pretty-ms';

/** Something that happened: a moment, or from then on for so long. */
type Span = { readonly label: string; readonly at: string; readonly durationMs?: number | undefined };

/** A time for people: two units at most. What is no number counts as nothing. */
export const durationText = (ms: number): string => prettyMs(ms || 0, { unitCount: 2 });

/** Of the drawing, in pixels: where its rows begin, and how high each is. */
const [TOP, ROW] = [34, 24];

/** A drawing true to scale, as the template draws it: a row for each span, in hundredths of its width. Pure. */
export function timeline(spans: readonly Span[]) {
  const begins = spans.map(({ at }) => Date.parse(at));
  const sinceFirst = (at: string): number => Date.parse(at) - Math.min(...begins);
  const wholeMs = Math.max(1, ...spans.map(({ at, durationMs = 0 }) => sinceFirst(at) + durationMs));
  const part = (ms: number): string => ((100 * ms) / wholeMs).toFixed(2);
  const rows = spans.map(({ label, at, durationMs }, row) => {
    const text = durationText(durationMs ?? sinceFirst(at));
    const [x, w] = [part(sinceFirst(at)), part(durationMs ?? 0)];
    return { label, text, x, w, y: TOP + ROW * row, isMark: durationMs === undefined };
  });
  // The least of 1, 2, 5 and 10 times a power of ten of which there are six at most.
  const power = 10 ** Math.floor(Math.log10(wholeMs / 5));
  const every = power * ([1, 2, 5].find((n) => n * power * 6 >= wholeMs) ?? 10);
  const moments = Array.from({ length: Math.floor(wholeMs / every) + 1 }, (_, n) => n * every);
  const ticks = moments.map((ms) => ({ x: part(ms), label: durationText(ms) }));
  return { rows, ticks, height: TOP + ROW * rows.length };
}
