import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { titleOf } from './row.ts';
import { rows } from './rows.ts';

test('every row has a title of its own, by which it can be told alone', () => {
  const titles = rows.map(titleOf);
  assert.equal(
    titles.filter((title, at) => titles.indexOf(title) !== at),
    [],
  );
});

for (const row of rows) {
  const { kind, on, dead = [], expects } = row;
  const { members = 3 } = kind.options;
  test(`${titleOf(row)}: a bed has these members`, () => {
    for (const sid of [...on, ...dead]) assert.ok(sid >= 1 && sid <= members);
    assert.is(new Set([...on, ...dead]).size, on.length + dead.length);
  });
  if (expects.is === 'healed')
    test(`${titleOf(row)}: a quorum serves without those that fail`, () => {
      assert.ok(members - on.length - dead.length > members / 2);
    });
}

test.run();
