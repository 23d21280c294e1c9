/** `docs/verdicts.md`, from the tables; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { intent } from '../src/cli/diagnose-command.ts';
import { hostFaults } from '../src/diagnose/host-faults.ts';
import { rules } from '../src/diagnose/rules.ts';
import { signatures } from '../src/diagnose/signatures.ts';
import { type Verdict, verdictRow, verdicts } from '../src/diagnose/verdicts.ts';
import { guards } from '../src/plan/guards.ts';
import { healSteps } from '../src/plan/heal-steps.ts';

export const DOC = join(import.meta.dirname, '../docs/verdicts.md');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
const code = (text: string): string => `\`${text}\``;

export const verdictsDoc = (): string => `# Verdicts, signatures, guards, steps

Made from the tables in \`src/diagnose\` and \`src/plan\` by \`npm run docs\`; a test compares it.

## Verdicts

${table(
  ['verdict', 'means', 'the health action', 'what a person should do'],
  (Object.keys(verdicts) as Verdict[]).map((verdict) => {
    const { means, response, person = '' } = verdictRow(verdict);
    return [code(verdict), means, intent[response], person];
  }),
)}

## Rules

The first that holds counts: what stands higher beats what stands lower.

${table(
  ['reason', 'means', 'what a person should do in this case'],
  rules.map(({ reason, means, person = '' }) => [code(reason), means, person]),
)}

## Signatures

Lines of the newest run of etcd's unit in this boot, in either of its log formats.

${table(
  ['signature', 'proves', 'means', 'written by', 'recorded'],
  signatures.map(({ id, proves, means, source, examples }) => [
    code(id),
    proves,
    means,
    source,
    code((examples[0] ?? '').slice(0, 160)),
  ]),
)}

## Faults of this machine

Seen on the machine itself; they count when etcd has crashed and does not run.

${table(
  ['fault', 'means'],
  hostFaults.map(({ id, means }) => [code(id), means]),
)}

## Guards

${table(
  ['guard', 'asks', 'asked right before'],
  guards.map(({ id, asks }) => [
    code(id),
    asks,
    healSteps
      .filter(({ needs }) => needs.includes(id))
      .map((step) => code(step.id))
      .join(' '),
  ]),
)}

## The heal

${table(
  ['step', 'runbook', 'does', 'a person would type', 'taken back'],
  healSteps.map(({ id, runbookStep, what, typed, undo }) => [
    code(id),
    String(runbookStep),
    what,
    code(typed),
    undo ? 'yes' : 'no',
  ]),
)}
`;

if (import.meta.main) writeFileSync(DOC, verdictsDoc());
