/** `docs/metrics.md`, from the table; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import metrics from '../src/report/metrics.json';
import { code, table } from './markdown.ts';

export const METRICS_DOC = join(import.meta.dirname, '../docs/metrics.md');

export const metricsDoc = (): string => `# Metrics

Made from \`src/report/metrics.json\` by \`npm run docs\`; a test compares it. [monitoring.md](monitoring.md) says where they
are, and has alert rules and a dashboard for them.

${table(
  ['metric', 'type', 'label', 'is'],
  Object.entries(metrics).map(([name, { type, label, help }]) => [
    code(name),
    type,
    label && code(label),
    help,
  ]),
)}
`;

if (import.meta.main) writeFileSync(METRICS_DOC, metricsDoc());
