import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeLines, linesByFolder, total } from '../../scripts/count.ts';

/** The aim for all of it is 7,500; more than this is a sign that something wants to be simpler, or to go. */
const LIMIT = 7650;

const SOURCE = `/**
 * Not code.
 */
import { a } from 'a';
import type {
  B,
} from 'b';
import 'c';

// Not code either.
export const x: B = a; // It counts once.
const importance = 1; /* neither more
  nor less */

  // indented
const later = () => import('d');
export { y } from 'e';
`;

test('comments, blank lines and imports do not count, and everything else does', () => {
  assert.is(codeLines(SOURCE), 4);
  assert.is(codeLines(''), 0);
});

test('every folder of what ships is counted, and nothing else', () => {
  const folders = [...linesByFolder().keys()];
  for (const folder of ['bin', 'hooks', 'src/act', 'src/act/heal/effects', 'src/machine/etcd'])
    assert.ok(folders.includes(folder), folder);
  assert.equal(
    folders.filter((folder) => !/^(bin|hooks|src)(\/|$)/.test(folder)),
    [],
  );
});

test(`what ships has at most ${LIMIT} lines of code`, () => {
  const lines = total(linesByFolder());
  assert.ok(lines > 1000, `${lines} lines: were they found at all?`);
  assert.ok(lines <= LIMIT, `${lines} lines of code; \`bun scripts/count.ts\` says where`);
});

test.run();
