/**
 * What a client's request brings into etcd's log, on a real etcd under a real journald, changes no verdict, reason or
 * answer of a guard; and the words with which etcd itself ends are known, in every form in which it logs.
 */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../../src/diagnose/diagnose.ts';
import { lastWords } from '../../../src/machine/etcd/log-lines.ts';
import type { Observation } from '../../../src/observe/observation.ts';
import { askGuards } from '../../../src/plan/guards.ts';
import {
  crashed,
  damagedDb,
  damagedWal,
  guardFacts,
  holding,
  NO_DATA,
  silent,
  situation,
  unit,
} from '../../fake/observation.ts';
import { baseRoot } from '../bed/base-root.ts';
import { type Ended, FORMS, type Form } from './etcd.ts';
import type { Attacked } from './inside.ts';
import { inside } from './namespace.ts';
import { SHORT, lines as sentLines } from './texts.ts';

const program = join(await baseRoot(console.log), 'opt/etcd/current/etcd');
const forms = Object.keys(FORMS) as Form[];

/** What else heal-node may see beside the log: whole data before all, on which no words may do anything. */
const worlds: Readonly<Record<string, Partial<Observation>>> = {
  'whole data': {},
  'whole data, others silent': { others: [silent(1), silent(3)] },
  'damaged log': damagedWal(),
  'damaged database': damagedDb(),
  'short log': holding({ logShort: true, applied: 95n }),
  'no data': NO_DATA,
};

const factsOf = ({ exitKind, exitStatus }: Ended, restarts: number) =>
  unit({
    active: 'failed',
    sub: 'failed',
    result: exitKind === 2 ? 'signal' : 'exit-code',
    mainPid: 0,
    exitKind,
    exitStatus,
    restarts,
  });

/** All that is decided from one look. */
function decided(ended: Ended, lines: readonly string[], world: Partial<Observation>, restarts: number) {
  const facts = { ok: true, value: factsOf(ended, restarts) } as const;
  const s = situation(crashed(lines, { unit: facts, ...world }));
  const { verdict, reason, response, advice, evidence } = diagnose(s);
  const guards = askGuards(s, guardFacts).map(({ id, pass, why }) => ({ id, pass, why }));
  return { verdict, reason, response, advice, evidence, guards };
}

/** With which words each run ends, in its own log and whatever stands before them: none where it was killed. */
const ends: Readonly<Record<string, RegExp | undefined>> = {
  SIGKILL: undefined,
  SIGABRT: undefined,
  'port taken': /listen tcp 127\.0\.0\.1:2379: bind: address already in use/,
  'panic of a client’s': undefined,
  'panic that quotes lines': undefined,
};

/** Some of what a client's text is logged with, so that this test says so when it no longer reaches the log. */
const reached: Readonly<Partial<Record<Form, readonly string[]>>> = {
  capnslog: [
    'Role',
    'added a new user',
    'created user',
    'failed to apply request',
    'invalid auth token',
    'read-only range request',
    'rejected connection from',
    'request cluster ID mismatch',
    'start time =',
  ],
  zap: [
    'added a user',
    'created a role',
    'created a user',
    'failed to apply request',
    'invalid auth token',
    'apply request took too long',
    'request cluster ID mismatch',
  ],
};

for (const form of forms) {
  test(`${form}: what a client sends changes nothing`, async () => {
    const { runs, logged } = await inside<Attacked>('attack', form, program);
    console.log(`${form}: logged with a client's text:\n${logged.map((text) => `  ${text}`).join('\n')}`);
    for (const beginning of reached[form] ?? [])
      assert.ok(
        logged.some((text) => text.startsWith(beginning)),
        `${beginning} in the log`,
      );
    assert.equal(Object.keys(runs).sort(), Object.keys(ends).sort());
    for (const [how, ended] of Object.entries(runs)) {
      const words = lastWords(ended.lines, factsOf(ended, 0));
      const own = ends[how];
      assert.is(words.length, own === undefined ? 0 : 1, `${how}: ${words.join('\n')}`);
      if (own !== undefined) assert.match(words[0] ?? '', own);
      const without = ended.lines.filter((line) => own?.test(line)).slice(-1);
      for (const [name, world] of Object.entries(worlds))
        for (const restarts of [0, 5])
          assert.equal(
            decided(ended, ended.lines, world, restarts),
            decided(ended, without, world, restarts),
            `${how}, ${name}`,
          );
    }
    // On lines of its own, and at the very end, a text had all that it needed.
    if (form === 'capnslog-stderr') {
      const own = new Set(runs.SIGKILL?.lines);
      assert.ok(
        sentLines.filter((line) => own.has(line)).length === sentLines.length,
        'every line on its own',
      );
      assert.is(lastWords(runs.SIGKILL?.lines ?? [], { mainPid: 0, exitKind: 1, exitStatus: 2 })[0], SHORT);
    }
  });

  test(`${form}: the words with which etcd ends are known`, async () => {
    const faults = await inside<Readonly<Record<string, Ended>>>('faults', form, program);
    for (const [id, ended] of Object.entries(faults)) {
      const { reason } = decided(ended, ended.lines, {}, 5);
      const expected = id === 'log-short' ? 'stale/log-short' : `local-fault/${id}`;
      assert.is(reason, expected, ended.lines.slice(-30).join('\n'));
    }
  });
}

test.run();
