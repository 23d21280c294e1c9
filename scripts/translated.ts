/**
 * Which documents are there in Chinese, too, and of which English text each translation was made: its last line has the
 * hash. `npm run translated -- FILE…` writes that line anew, once a person has brought the translation up to date; the
 * test is test/house/languages.test.ts.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');

/** The documents that have to be there in both languages. */
export const inBothLanguages: readonly string[] = [
  'README.md',
  'appcenter/README.md',
  'docs/install.md',
  'docs/operator.md',
  'docs/runbook.md',
];

/** `README.md` → `README.zh-CN.md` */
export const chineseOf = (english: string): string => english.replace(/\.md$/, '.zh-CN.md');

const hashOf = (english: string): string => createHash('sha256').update(english).digest('hex').slice(0, 16);

const STAMP = /\n<!-- Translated from \S+, whose sha256 begins with ([0-9a-f]{16})\. -->\n*$/;

/** The translation with its last line as it has to be for this English text. */
export const stamped = (name: string, english: string, chinese: string): string =>
  `${chinese.replace(STAMP, '').trimEnd()}\n\n<!-- Translated from ${name}, whose sha256 begins with ${hashOf(english)}. -->\n`;

/** Whether a translation was made from another text than this. */
export const isOlder = (english: string, chinese: string): boolean =>
  STAMP.exec(chinese)?.[1] !== hashOf(english);

if (import.meta.main) {
  const all = inBothLanguages.map(chineseOf);
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !all.includes(name));
  if (names.length === 0 || unknown !== undefined) {
    console.error(
      `${unknown === undefined ? 'Which translation is up to date?' : `${unknown} is not allowed;`} allowed: ${all.join(' ')}`,
    );
    process.exit(2);
  }
  for (const english of inBothLanguages) {
    const path = join(top, chineseOf(english));
    if (names.includes(chineseOf(english)))
      writeFileSync(
        path,
        stamped(english, readFileSync(join(top, english), 'utf8'), readFileSync(path, 'utf8')),
      );
  }
}
