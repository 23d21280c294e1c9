import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DOC, messages, messagesDoc } from '../../scripts/messages-doc.ts';
import { doctorQuestions } from '../../src/cli/doctor-questions.ts';
import { rules } from '../../src/diagnose/rules.ts';
import { verdicts } from '../../src/diagnose/verdicts.ts';
import { guards } from '../../src/plan/guards.ts';
import { healSteps } from '../../src/plan/heal-steps.ts';
import catalogue from '../../src/words/catalogue.json';
import { languageOf, wordsOf } from '../../src/words/words.ts';

test('every rule, verdict, guard and step has its words, and there are no others', () => {
  const same = (rows: readonly string[], there: object) =>
    assert.equal([...new Set(rows)].sort(), Object.keys(there).sort());
  same(Object.keys(rules), catalogue.reasons);
  same(Object.keys(verdicts), catalogue.verdicts);
  same(Object.keys(guards), catalogue.guards);
  same(Object.keys(doctorQuestions), catalogue.doctor);
  assert.equal(
    healSteps.filter(({ what }) => !(what in catalogue.sentences)),
    [],
  );
});

test('every message has a code of its own, and is there in both languages', () => {
  assert.is(new Set(messages.map(({ code }) => code)).size, messages.length);
  for (const { code, en, zh } of messages) {
    assert.match(code, /^HN-\d{3}$/);
    assert.ok(en !== '' && /\p{Script=Han}/u.test(zh), code);
    const places = (text: string) => [...text.matchAll(/\{\d\}/g)].map(String).sort();
    assert.equal(places(zh), places(en), `${code}: the same values stand in both`);
    assert.not.match(zh, /\p{Script=Han}[,;:?!.]/u, `${code}: punctuation of Chinese`);
  }
  for (const [en, zh] of Object.entries(catalogue.evidence)) {
    assert.equal([...zh.matchAll(/\{\d\}/g)].map(String).sort(), en.match(/\{\d\}/g) ?? [], en);
    assert.not.match(zh, /\p{Script=Han}[,;:?!.]/u, en);
  }
  for (const reason of Object.keys(catalogue.reasons))
    assert.is(wordsOf(reason).advice === '', wordsOf(reason, 'zh').advice === '', reason);
});

test('the page of messages is the one that the catalogue makes', () => {
  assert.is(readFileSync(DOC, 'utf8'), messagesDoc(), 'run `npm run docs`');
});

test('HEAL_LANG wins over the locale, whose first variable that is set counts', () => {
  assert.is(languageOf('en', { LC_ALL: 'zh_CN.UTF-8' }), 'en');
  assert.is(languageOf('auto', { LANG: 'zh_CN.UTF-8' }), 'zh');
  assert.is(languageOf('auto', { LC_ALL: 'C.UTF-8', LANG: 'zh_CN.UTF-8' }), 'en');
  assert.is(languageOf('auto', { LC_ALL: '', LC_MESSAGES: 'zh_CN', LANG: 'C' }), 'zh');
  assert.is(languageOf('auto', {}), 'en');
});

test.run();
