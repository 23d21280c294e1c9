import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chineseOf, inBothLanguages, isOlder, stamped } from '../../scripts/translated.ts';
import { files, textOf, top } from './sources.ts';

/** What both languages of a document have in common, in order. */
interface Shape {
  /** `## scope`: the level and the anchor, which in the translation stands in a line before the heading; of the title its level. */
  readonly headings: readonly string[];
  /** Lines of code without their comments; of a block of text, which may be translated, only that it is there. */
  readonly code: readonly string[];
  /** `5 × 3`: the rows and columns of each table. */
  readonly tables: readonly string[];
  /** Without repetitions, sorted. */
  readonly identifiers: readonly string[];
  readonly links: readonly string[];
}

/** As GitHub makes the anchor of a heading. */
const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

const sorted = (all: Iterable<string>): string[] => [...new Set(all)].sort();

const columns = (row = ''): number => row.replaceAll('\\|', '').split('|').length - 2;

/** Splits a document into its code and everything else, comments of HTML left out. */
function split(text: string): { readonly code: string[]; readonly prose: string[] } {
  const code: string[] = [];
  const prose: string[] = [];
  let fence: string | undefined;
  let before = '';
  for (const line of text.replace(/<!--[\s\S]*?-->/g, '').split('\n')) {
    const indented = fence === undefined && /^ {4}\S/.test(line) && (before === '' || /^ {4}/.test(before));
    if (line.startsWith('```')) {
      fence = fence === undefined ? line : undefined;
      if (fence !== undefined) code.push(fence);
    } else if (fence === undefined && !indented) prose.push(line);
    else if (fence !== '```text' && line.trim() !== '')
      code.push(line.replace(/(^|\s+)#\s.*$/, '').trimEnd());
    before = line;
  }
  return { code: code.filter((line) => line !== ''), prose };
}

function shapeOf(text: string): Shape {
  const { code, prose } = split(text);
  const headings: string[] = [];
  const tables: string[] = [];
  let anchor: string | undefined;
  let rows: string[] = [];
  for (const line of [...prose, '']) {
    const [, level, heading = ''] = /^(#+) (.*)/.exec(line) ?? [];
    anchor = /^<a id="(.*)"><\/a>$/.exec(line)?.[1] ?? anchor;
    if (level !== undefined) {
      headings.push(level === '#' ? level : `${level} ${anchor ?? slug(heading)}`);
      anchor = undefined;
    }
    if (line.startsWith('|')) rows.push(line);
    else if (rows.length > 0) {
      tables.push(`${rows.length - 2} × ${columns(rows[0])}`);
      rows = [];
    }
  }
  const all = prose.join('\n');
  const links = [...all.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) =>
    to.replace(/\.zh-CN(?=\.(md|png)\b)/, ''),
  );
  return {
    headings,
    code,
    tables,
    identifiers: sorted([...all.matchAll(/`([^`]+)`/g)].map(([, each = '']) => each.replace(/\s+/g, ' '))),
    links: sorted(links),
  };
}

const without = (all: readonly string[], others: readonly string[]): string[] => {
  const left = [...others];
  return all.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};

/** What the one side has and the other has not, or has in another order. */
function differences(english: Shape, chinese: Shape): string[] {
  return (Object.keys(english) as (keyof Shape)[]).flatMap((what) => {
    const [en, zh] = [english[what], chinese[what]];
    const only = [
      ...without(en, zh).map((each) => `${what}: only in English: ${each}`),
      ...without(zh, en).map((each) => `${what}: only in Chinese: ${each}`),
    ];
    return only.length > 0 || en.join('\n') === zh.join('\n') ? only : [`${what}: in another order`];
  });
}

/**
 * Emphasis that Markdown would not end, or begin, and show as asterisks: `**…：**字`. Between punctuation and a letter a
 * mark belongs to the side of the letter (CommonMark, left- and right-flanking delimiter runs).
 */
function lostEmphasis(text: string): string[] {
  const paragraphs = split(text)
    .prose.join('\n')
    .split(/\n\n|\n(?=[|\-\d])/);
  return paragraphs.flatMap((paragraph) => {
    const open = new Set<string>();
    return [...paragraph.replace(/`[^`]+`/g, '`').matchAll(/(?<=(.?))(\*{1,2})(?=(.?))/gsu)].flatMap(
      ([, before = '', mark = '', after = '']) => {
        const closes = open.delete(mark);
        if (!closes) open.add(mark);
        const [inside, outside] = closes ? [before, after] : [after, before];
        return /[\p{P}`]/u.test(inside) && /[\p{L}\p{N}]/u.test(outside) ? [`${before}${mark}${after}`] : [];
      },
    );
  });
}

for (const english of inBothLanguages) {
  const chinese = chineseOf(english);

  test(`${english} is there in both languages, and equal`, () => {
    assert.ok(existsSync(join(top, chinese)), `${chinese} is missing`);
    assert.equal(differences(shapeOf(textOf(english)), shapeOf(textOf(chinese))), []);
    assert.equal(lostEmphasis(textOf(chinese)), []);
  });

  test(`${chinese} is not older than ${english}`, () => {
    assert.not(
      isOlder(textOf(english), textOf(chinese)),
      `${english} has changed since ${chinese} was made from it. Bring the Chinese text up to date (git log -p ${english}), then run: npm run translated -- ${chinese}`,
    );
  });
}

test('every translation belongs to a document of the list', () => {
  assert.equal(files('*.zh-CN.md', '{appcenter,docs}/**/*.zh-CN.md'), inBothLanguages.map(chineseOf).sort());
});

test('README has its twelve headings', () => {
  assert.is(shapeOf(textOf('README.md')).headings.filter((each) => each.startsWith('## ')).length, 12);
});

const ENGLISH = [
  '# heal-node',
  '## What it is',
  'See `status` and [more](docs/more.md).',
  '',
  '| a | b |',
  '|---|---|',
  '| 1 | 2 |',
  '',
  '```sh',
  'run this   # as root',
  '```',
  '',
  '    and that',
  '',
  '```text',
  'a drawing',
  '```',
].join('\n');
const CHINESE = ENGLISH.replace('## What it is', '<a id="what-it-is"></a>\n\n## 用途')
  .replace('See `status` and [more](docs/more.md)', '见 `status` 和[更多](docs/more.zh-CN.md)')
  .replace('as root', '以 root 执行')
  .replace('a drawing', '图');
const found = (from: string | RegExp, to: string): string[] =>
  differences(shapeOf(ENGLISH), shapeOf(CHINESE.replace(from, to)));

test('what is missing or other on one side would be seen', () => {
  assert.equal(found('', ''), []);
  assert.equal(found('what-it-is', 'scope'), [
    'headings: only in English: ## what-it-is',
    'headings: only in Chinese: ## scope',
  ]);
  assert.equal(found('## 用途', '### 用途'), [
    'headings: only in English: ## what-it-is',
    'headings: only in Chinese: ### what-it-is',
  ]);
  assert.equal(found('run this', 'run'), ['code: only in English: run this', 'code: only in Chinese: run']);
  assert.equal(found(/```text[\s\S]*/, ''), ['code: only in English: ```text']);
  assert.equal(found('    and that', ''), ['code: only in English:     and that']);
  assert.equal(found('| 1 | 2 |', '| 1 | 2 |\n| 3 | 4 |'), [
    'tables: only in English: 1 × 2',
    'tables: only in Chinese: 2 × 2',
  ]);
  assert.equal(found('`status`', '`状态`'), [
    'identifiers: only in English: status',
    'identifiers: only in Chinese: 状态',
  ]);
  assert.equal(found('docs/more', 'docs/less').length, 2);
  assert.equal(found('run this', 'and that').length, 2, 'as often on both sides');
  const [one, two] = ['# a\n## b\n## c', '# a\n## c\n## b'];
  assert.equal(differences(shapeOf(one), shapeOf(two)), ['headings: in another order']);
});

test('emphasis that would not be shown would be seen', () => {
  assert.equal(
    lostEmphasis('它**失效**了。**不要**（也不要）*动* `x`。\n\n- **不要。** 动\n- **改 `x`**：好'),
    [],
  );
  assert.equal(lostEmphasis('**不要：**动'), ['：**动']);
  assert.equal(lostEmphasis('这种*成员(stale)*与'), [')*与']);
  assert.equal(lostEmphasis('字**（a）**'), ['字**（']);
});

test('a translation that is older than its original would be seen', () => {
  assert.ok(isOlder(ENGLISH, CHINESE), 'it does not say what it was made from');
  const made = stamped('x.md', ENGLISH, CHINESE);
  assert.not(isOlder(ENGLISH, made));
  assert.ok(isOlder(`${ENGLISH}\nMore.`, made));
  assert.is(stamped('x.md', ENGLISH, made), made);
  assert.equal(shapeOf(made), shapeOf(CHINESE), 'the line counts for nothing else');
});

test.run();
