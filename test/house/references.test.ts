import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { files, textOf, top } from './sources.ts';

/** Everything that people read: sources with their comments and messages, and what is written about them. */
const read = files('{bin,hooks,src,scripts,test}/**/*.{ts,mjs,sh}', '{appcenter,docs}/**/*.md', '*.md');

/** A path from the top of the repository, and not the rest of a longer one (`/opt/app/bin/ctl.sh`). */
const PATH = /(?<![\w@~$}./-])(?:bin|docs|hooks|scripts|src|test)\/[\w@./-]*/g;
/** A link of Markdown to a file, without its anchor. */
const LINK = /\]\((?![a-z]+:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g;
/** Papers that the repository was written by, and whose content is in docs/ now. */
const ELSEWHERE = /\b(?:CONTRACT|FAILURES|PLATFORM|STYLE)\.md\b/g;

/** What a text refers to and is not there, each with the line that does. */
function dangling(path: string, text: string, exists: (path: string) => boolean): string[] {
  const links = (line: string): string[] =>
    path.endsWith('.md') ? [...line.matchAll(LINK)].map(([, to = '']) => join(path, '..', to)) : [];
  return text.split('\n').flatMap((line, at) => {
    const paths = [...line.matchAll(PATH)].map(([found]) => found.replace(/[./-]+$/, ''));
    const missing = [...paths, ...links(line)].filter((each) => !exists(each));
    return [...missing, ...[...line.matchAll(ELSEWHERE)].map(([found]) => found)].map(
      (what) => `${path}:${at + 1} refers to ${what}`,
    );
  });
}

const inRepository = (path: string): boolean => existsSync(join(top, path));

/** The checks of the house name what is not there, to show that it would be seen. */
const OWN = 'test/house/';

test('no reference to a file that is not in the repository', () => {
  assert.ok(read.length > 150, `${read.length} files are read`);
  assert.equal(
    read
      .filter((path) => !path.startsWith(OWN))
      .flatMap((path) => dangling(path, textOf(path), inRepository)),
    [],
  );
});

test('such references would be seen', () => {
  const there = (path: string): boolean => ['src/act', 'docs/design.md', 'src/act/gate.ts'].includes(path);
  const text = [
    'See src/act/gate.ts, src/act/ and `docs/design.md`.',
    'See src/act/gone.ts; and docs/gone.md.',
    '/opt/app/bin/ctl.sh, https://example.org/docs/x, etcdserver/server.go, ../src/act/gate.ts',
    'As PLATFORM.md says, and STYLE.md.',
    '[here](../src/act/gate.ts), [not](gone.md#part), [elsewhere](https://example.org/), [below](#below)',
  ].join('\n');
  assert.equal(dangling('docs/x.md', text, there), [
    'docs/x.md:2 refers to src/act/gone.ts',
    'docs/x.md:2 refers to docs/gone.md',
    'docs/x.md:4 refers to PLATFORM.md',
    'docs/x.md:4 refers to STYLE.md',
    'docs/x.md:5 refers to docs/gone.md',
  ]);
});

test.run();
