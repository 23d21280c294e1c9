import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSource, type Source, shipped } from './sources.ts';

/** Names that have been replaced because they have to be explained, and what is said instead. */
const words: readonly (readonly [not: RegExp, but: string])[] = [
  [/(^t|T)old(?![a-z])/, 'diagnosed, announced'],
  [/(unit|env|mark)\d/i, 'copyUnit, copyEnv, dataDiskMark'],
  [/^(passes|mayPass)$/, 'transient'],
  [/(^s|S)een(?![a-z])/, 'observed'],
  [/(^f|F)orgot/, 'birthmarkMismatch'],
  [/^standsWithout/, 'hasQuorumWithoutSelf'],
  [/servesNot/i, 'unavailableReason'],
  [/squatter/i, 'portConflicts'],
];

const banned = ({ path, identifiers }: Source): string[] =>
  identifiers.flatMap(({ name, line }) => {
    const but = words.find(([not]) => not.test(name))?.[1];
    return but === undefined ? [] : [`${path}:${line} calls something ${name}; say ${but}`];
  });

test('no name that has been replaced comes back', () => assert.equal(shipped.flatMap(banned), []));

test('each of them would be seen, and a name that only holds one would not', () => {
  const not = ['told', 'lookUntilTold', 'unit1', 'readsEnv1', 'mark2', 'passes', 'mayPass', 'seen', 'Seen'];
  not.push('forgot', 'standsWithoutUs', 'servesNot', 'squatters');
  for (const name of not)
    assert.is(banned(parseSource('src/x.ts', `export interface X { readonly ${name}: 1 }`)).length, 1, name);
  assert.is(banned(parseSource('src/x.ts', "export type X = 'unit' | 'unit1';")).length, 1, 'a choice');
  const good =
    'const toldest = { unseen: 1, pass: 2, environment: 3 };\n// told\nexport const x = "was told";';
  assert.equal(banned(parseSource('src/x.ts', good)), []);
});

test.run();
