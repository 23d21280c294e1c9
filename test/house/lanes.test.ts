import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lanesFor } from '../run/lanes.ts';

test('the slower a machine starts processes, the fewer scenarios are under way', () => {
  assert.equal([1, 4.5, 5, 7, 8.5, 100].map(lanesFor), [5, 5, 4, 3, 2, 2]);
});

test.run();
