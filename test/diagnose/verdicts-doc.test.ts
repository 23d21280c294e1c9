import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DOC, verdictsDoc } from '../../scripts/verdicts-doc.ts';

test('docs/verdicts.md is what the tables say (`npm run docs` writes it)', () => {
  assert.is(readFileSync(DOC, 'utf8'), verdictsDoc());
});

test.run();
