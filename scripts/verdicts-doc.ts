/** `docs/verdicts.md`, from the tables; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import intent from '../src/cli/intent.json';
import { localFaults } from '../src/diagnose/local-faults.ts';
import { rules } from '../src/diagnose/rules.ts';
import whyStale from '../src/diagnose/stale-proofs.json';
import { type Verdict, verdicts } from '../src/diagnose/verdicts.ts';
import { guards } from '../src/plan/guards.ts';
import { healSteps } from '../src/plan/heal-steps.ts';
import catalogue from '../src/words/catalogue.json';
import { questionOf, wordsOf } from '../src/words/words.ts';
import { recordedLines } from '../test/diagnose/recorded-lines.ts';
import { code, table } from './markdown.ts';

export const DOC = join(import.meta.dirname, '../docs/verdicts.md');

/** Where a reason has advice of its own, beside its verdict's. */
const ownAdvice = (reason: string): string => {
  const reasons: Readonly<Record<string, { en: { means: string; advice?: string } }>> = catalogue.reasons;
  return reasons[reason]?.en.advice ?? '';
};

/** How etcd says it, as it was recorded. */
const said = (id: string): string => code((recordedLines[id]?.[0] ?? '').slice(0, 160));

export const verdictsDoc = (): string => `# Verdicts, proofs, faults, guards, steps

Made from the tables in \`src/diagnose\` and \`src/plan\` by \`npm run docs\`; a test compares it.

## Verdicts

${table(
  ['verdict', 'means', 'the health action', 'what a person should do'],
  (Object.keys(verdicts) as Verdict[]).map((verdict) => {
    const { means, advice = '' }: { means: string; advice?: string } = catalogue.verdicts[verdict].en;
    return [code(verdict), means, intent[verdicts[verdict]], advice];
  }),
)}

## Rules

The first that holds counts: what stands higher beats what stands lower.

${table(
  ['reason', 'means', 'what a person should do in this case'],
  Object.keys(rules).map((reason) => [code(reason), wordsOf(reason).means, ownAdvice(reason)]),
)}

## Proofs of a stale member

Facts, of a process that is known to be dead unless the row says otherwise, while the others serve without it. Words of a log corroborate.

${table(
  ['proof', 'means', 'why it is certain'],
  Object.entries(whyStale).map(([id, because]) => [code(id), wordsOf(`stale/${id}`).means, because]),
)}

## Faults of this machine

One reason code each, \`local-fault/…\`, whether etcd's log, systemd or the machine shows it. What the machine shows
counts when etcd has crashed, or its data are gone, and a certificate also while etcd runs and does not serve.

${table(
  ['fault', 'means', 'what a person should do', 'etcd says', 'the machine shows it'],
  Object.entries(localFaults).map(([id, { says, shows }]) => [
    code(id),
    wordsOf(`local-fault/${id}`).means,
    wordsOf(`local-fault/${id}`).advice,
    says ? said(id) : '',
    shows ? 'yes' : 'no',
  ]),
)}

## Guards

${table(
  ['guard', 'asks', 'asked right before'],
  Object.keys(guards).map((id) => [
    code(id),
    questionOf(id),
    healSteps
      .filter(({ needs }) => needs === 'all' || needs?.some((each) => each === id))
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
