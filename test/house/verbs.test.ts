import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stateText, titleOf } from '../machines/verbs/row.ts';
import { rows } from '../machines/verbs/rows.ts';
import * as verbs from '../machines/verbs/verbs.ts';
import { textOf } from './sources.ts';

test('every verb meets nothing, a stale member and a held heal, each under a title of its own', () => {
  const titles = rows.map(titleOf);
  assert.equal([...new Set(titles)], titles);
  for (const verb of Object.values(verbs)) {
    const own = rows.filter((row) => row.verb === verb).map(({ state }) => stateText(state));
    for (const state of ['nothing', 'a stale member', 'a heal, held before'])
      assert.ok(
        own.some((text) => text.startsWith(state)),
        `${verb.name}: ${state}`,
      );
  }
});

test("every verb of the app's stand-in is called by one of them", () => {
  const [, cases = ''] =
    /^case "\$\{1:-\}" in\n([\s\S]*)^\*\)/m.exec(textOf('test/machines/app/ctl.sh')) ?? [];
  const labels = [...cases.matchAll(/^(\w+)\)/gm)].map(([, label]) => label);
  assert.ok(labels.length > 10, labels.join());
  const calls = textOf('test/machines/verbs/verbs.ts') + textOf('test/machines/bed/machine.ts');
  // The health check is the hook's.
  for (const label of labels.filter((each) => each !== 'check'))
    assert.match(calls, new RegExp(`'${label}'|ctl\\.sh ${label}|: '${label} `), label);
});

test.run();
