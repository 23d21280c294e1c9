/** `docs/verdicts.md`, from the tables; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { intent } from '../src/cli/diagnose-command.ts';
import { localFaults } from '../src/diagnose/local-faults.ts';
import { rules } from '../src/diagnose/rules.ts';
import { staleProofs } from '../src/diagnose/stale-proofs.ts';
import { type Verdict, verdictRow, verdicts } from '../src/diagnose/verdicts.ts';
import { guards } from '../src/plan/guards.ts';
import { healSteps, type StepId } from '../src/plan/heal-steps.ts';
import { recordedLines } from '../test/diagnose/recorded-lines.ts';

export const DOC = join(import.meta.dirname, '../docs/verdicts.md');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
const code = (text: string): string => `\`${text}\``;

/** What each verdict means in general; a rule says what was found. */
const meanings: Readonly<Record<Verdict, string>> = {
  healthy: 'the member answers, knows its leader, and is the member that it should be',
  starting: 'the process lives and is on its way up',
  stopped: 'etcd is not running, and its last run did not fail',
  hung: 'it runs, does not answer, and makes no progress',
  stale: 'this member can never come back with the data it has, while the others serve without it',
  'local-fault': 'this machine has a fault that a fresh member would meet again',
  partitioned: 'it runs, but cannot reach the others',
  'quorum-lost': 'too few members answer',
  amnesia: 'starting or healing this member could lose committed writes',
  alarmed: 'it serves, but an etcd alarm makes /health false on every member',
  healing: 'a heal is under way or was left half-done',
  unknown: 'what is wrong cannot be diagnosed for certain',
};

/** Why a proof of stale data is certain: which facts, from where. */
const because: Readonly<Record<string, string>> = {
  'already-bootstrapped':
    'no data stand there, or nothing but a founding, and those that serve list this node as started',
  removed:
    'the log names a member ID of this cluster that those that serve do not list: an ID never comes back',
  'half-added':
    'no data stand there, it was a member before or its last run crashed, and those that serve list it as added and not started',
  'wal-damaged': 'its files, read without etcd, are damaged, and its last run, which could use them, crashed',
  'db-damaged': 'its files, read without etcd, are damaged, and its last run, which could use them, crashed',
  'log-short':
    'its database has applied entries that its log lacks; or etcd ended with a panic that says so, which no file shows',
  'given-up':
    'a log that is ahead of the cluster never becomes part of it again, and `heal-node adopt --discard-ahead` was run for these very data',
};

/** How the world shows that a step is done, or no longer called for. */
const doneWhen: Readonly<Record<StepId, string>> = {
  certificates: 'etcd is not in TLS mode, or none of its certificates is missing',
  fence: 'the unit has the name of its copy, its original is saved, and etcd is stopped',
  'set-aside': 'the data dir is empty, or holds what the new member is receiving',
  stage: 'systemd has loaded a copy of the unit whose environment joins the cluster as its members list it',
  remove: 'the cluster does not list this node, or lists it as added and not started',
  add: 'every member that serves lists this node as added and not started, and no longer its old ID; or etcd runs already',
  start: 'etcd runs, on its new data or on its way to them',
  verify: 'this run has seen the new member serve, listed once, at the revision of the others',
  restore: 'the original unit is in place, nothing of the swap is left, and etcd runs',
  confirm: 'this run has seen the member serve on its originals',
};

/** How etcd says it, as it was recorded. */
const said = (id: string): string => code((recordedLines[id]?.[0] ?? '').slice(0, 160));

export const verdictsDoc = (): string => `# Verdicts, proofs, faults, guards, steps

Made from the tables in \`src/diagnose\` and \`src/plan\` by \`npm run docs\`; a test compares it.

## Verdicts

${table(
  ['verdict', 'means', 'the health action', 'what a person should do'],
  (Object.keys(verdicts) as Verdict[]).map((verdict) => {
    const { response, advice = '' } = verdictRow(verdict);
    return [code(verdict), meanings[verdict], intent[response], advice];
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
  staleProofs.map(({ id, means }) => [code(id), means, because[id] ?? '']),
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
      .filter(({ needs }) => needs === 'all' || needs?.includes(id))
      .map((step) => code(step.id))
      .join(' '),
  ]),
)}

## The heal

${table(
  ['step', 'runbook', 'does', 'a person would type', 'done when', 'can be taken back'],
  healSteps.map(({ id, runbookStep, what, typed, reversible }) => [
    code(id),
    String(runbookStep),
    what,
    code(typed),
    doneWhen[id],
    reversible === 'may stay' ? 'it may stay' : reversible ? 'yes' : 'no',
  ]),
)}
`;

if (import.meta.main) writeFileSync(DOC, verdictsDoc());
