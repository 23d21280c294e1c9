/** `docs/verdicts.md`, from the tables; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { intent } from '../src/cli/diagnose-command.ts';
import { localFaults } from '../src/diagnose/local-faults.ts';
import { rules } from '../src/diagnose/rules.ts';
import { staleProofs } from '../src/diagnose/stale-proofs.ts';
import { type Verdict, verdictRow, verdicts } from '../src/diagnose/verdicts.ts';
import { guards } from '../src/plan/guards.ts';
import { healSteps } from '../src/plan/heal-steps.ts';
import { recordedLines } from '../test/diagnose/recorded-lines.ts';
import { code, table } from './markdown.ts';

export const DOC = join(import.meta.dirname, '../docs/verdicts.md');

/** How etcd says it, as it was recorded. */
const said = (id: string): string => code((recordedLines[id]?.[0] ?? '').slice(0, 160));

export const verdictsDoc = (): string => `# Verdicts, proofs, faults, guards, steps

Made from the tables in \`src/diagnose\` and \`src/plan\` by \`npm run docs\`; a test compares it.

## Verdicts

${table(
  ['verdict', 'means', 'the health action', 'what a person should do'],
  (Object.keys(verdicts) as Verdict[]).map((verdict) => {
    const { means, response, advice = '' } = verdictRow(verdict);
    return [code(verdict), means, intent[response], advice];
  }),
)}

## Rules

The first that holds counts: what stands higher beats what stands lower.

${table(
  ['reason', 'means', 'what a person should do in this case'],
  rules.map(({ reason, means, advice = '' }) => [code(reason), means, advice]),
)}

## Proofs of a stale member

Facts, of a process that is known to be dead, while the others serve without it. Words of a log corroborate.

${table(
  ['proof', 'means', 'why it is certain'],
  staleProofs.map(({ id, means, because }) => [code(id), means, because]),
)}

## Faults of this machine

One reason code each, \`local-fault/…\`, whether etcd's log, systemd or the machine shows it. What the machine shows
counts when etcd has crashed and does not run.

${table(
  ['fault', 'means', 'what a person should do', 'etcd says', 'the machine shows it'],
  localFaults.map(({ id, means, advice, says, shows }) => [
    code(id),
    means,
    advice,
    says ? said(id) : '',
    shows ? 'yes' : 'no',
  ]),
)}

## Guards

${table(
  ['guard', 'asks', 'asked right before'],
  guards.map(({ id, asks }) => [
    code(id),
    asks,
    healSteps
      .filter(({ needs }) => needs?.includes(id))
      .map((step) => code(step.id))
      .join(' '),
  ]),
)}

## The heal

${table(
  ['step', 'runbook', 'does', 'a person would type', 'done when', 'can be taken back'],
  healSteps.map(({ id, runbookStep, what, typed, doneWhen, reversible }) => [
    code(id),
    String(runbookStep),
    what,
    code(typed),
    doneWhen,
    reversible === 'may stay' ? 'it may stay' : reversible ? 'yes' : 'no',
  ]),
)}
`;

if (import.meta.main) writeFileSync(DOC, verdictsDoc());
