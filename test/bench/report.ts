import type { Panel, Row } from './figures.ts';
import type { Host, Result, Results } from './results.ts';
import { markdownTable } from './table.ts';

/** What a reader has to know of a part besides its figures. */
export interface Described {
  readonly name: string;
  /** What it measures, for a heading. */
  readonly what: string;
  /** How, in a paragraph. */
  readonly how: string;
}

/** The rows of all parts, in the order of their table. */
export const rowsOf = (parts: readonly Described[], { parts: results }: Results): Row[] =>
  parts.flatMap(({ name }) => results[name]?.found?.rows ?? []);

/** The panels of the plot, of all parts. */
export const panelsOf = (parts: readonly Described[], { parts: results }: Results): Panel[] =>
  parts.flatMap(({ name }) => results[name]?.found?.panels ?? []);

const hostText = ({ cores, processor, memoryMiB, kernel, etcd, systemd }: Host): string =>
  `${cores} cores (${processor}), ${(memoryMiB / 1024).toFixed(0)} GiB of memory, Linux ${kernel}; in the machines etcd ${etcd} and systemd ${systemd}`;

/** The paragraph of a part: how it was measured, when, and what its rows cannot say. */
function section({ name, what, how }: Described, result: Result | undefined, cores: number): string {
  const head = `## ${what} (\`${name}\`)\n\n${how}`;
  if (result === undefined) return `${head}\n\nNot measured with this commit on this machine.`;
  const { endedAt, tookMs, words, load, found, failed } = result;
  const began = new Date(Date.parse(endedAt) - tookMs).toISOString().slice(0, 16).replace('T', ' ');
  const busy = load > cores ? ', more than it has cores: other work may have slowed it' : '';
  const asked = `Begun ${began} UTC with \`${words}\`, ${Math.ceil(tookMs / 1000)} s; load of the host before it ${load.toFixed(1)}${busy}.`;
  const outcome = failed === undefined ? [] : [`**It failed:** ${failed}`];
  const notes = (found?.notes ?? []).map((note) => `- ${note}`).join('\n');
  return [head, asked, ...outcome, notes].filter(Boolean).join('\n\n');
}

/** The document, from everything that has been found. */
export function report(parts: readonly Described[], results: Results, plot: string | undefined): string {
  const { commit, host } = results;
  const days = [...new Set(Object.values(results.parts).map(({ endedAt }) => endedAt.slice(0, 10)))].sort();
  return `${[
    '# The bench',
    `Written by \`npm run bench\` (${days.join(', ') || 'nothing measured yet'}, commit ${commit}): ratios, measured side by side. The host: ${hostText(host)}. Each figure is a median. What stands beside heal-node is said below, part by part.`,
    markdownTable(rowsOf(parts, results)),
    ...(plot === undefined ? [] : [`![Growth of diagnosis and heal](${plot})`]),
    ...parts.map((part) => section(part, results.parts[part.name], host.cores)),
  ].join('\n\n')}\n`;
}
