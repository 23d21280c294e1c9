import { parseSync, Visitor } from 'oxc-parser';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readingOf, understand } from '../../src/words/retell.ts';
import { files, textOf } from '../house/sources.ts';

/** What is not said to a person as it is, and why; a file, or a folder. */
const notSaid: Readonly<Record<string, string>> = {
  'src/cluster/replies.ts': 'what etcd says, to be recognised',
  'src/cluster/transient-refusals.ts': 'what etcd says, to be recognised',
  'src/plan/by-hand.ts': 'a script',
};
/** What is shown as evidence, of which there are rows of its own. */
const evidence: readonly string[] = ['src/diagnose/', 'src/machine/etcd/'];
/** Texts of other kinds, each as it begins. */
const others: readonly string[] = [
  'An etcd node on QingCloud AppCenter', // usage
  'Exit codes: ', // usage
  '0 done, 1 failed, ', // usage
  'has been a member', // a file
  '# heal-node: gone when', // a file
  'while read -r line', // a script
  'rpc not supported for learner', // what etcd says, to be recognised
  'context deadline exceeded', // what etcd says, to be recognised
  'etcdctl ⟦', // the command that failed
  'systemctl show ⟦', // the command that failed
  'server error', // what etcd says, to be recognised
  'last exit', // a number comes behind it
  'last ended by signal',
  'last dumped core by signal',
  '⟦1⟧ is ⟦2⟧ at ⟦3⟧', // a URL
  'is an absolute path', // what is allowed
  'is a name without',
  'next file', // a value
  'the last rule must always hold', // never happens
  'may stay', // a value of the table of steps
  '(private key)', // stands for one
  'The incident', // titles of a report (src/report/texts.json)
  'The heal',
  'list one shorter',
];
/** Of a command: usage, of which help, completion and documents are made; of a proof: for the documents. */
const usage = ['exits', 'options', 'words', 'json', 'because'];

interface Said {
  readonly at: string;
  readonly text: string;
}

const words = (text: string): number =>
  text.replace(/`[^`]*`|⟦\d*⟧/g, ' x ').match(/(?<![\w/.@-])[A-Za-z][a-z']+(?![\w/@-])/g)?.length ?? 0;

/** All texts of two words and more, with `⟦⟧` for each value in them, that may come before a person. */
function saidIn(path: string, source: string): Said[] {
  const found: (Said & { readonly start: number })[] = [];
  const away: (readonly [from: number, to: number])[] = [];
  const take = (text: string, start: number): void => {
    const at = `${path}:${source.slice(0, start).split('\n').length}`;
    if (words(text) >= 2 && text.trim().includes(' ') && !others.some((other) => text.startsWith(other)))
      found.push({ at, text, start });
  };
  new Visitor({
    Literal: ({ value, start }) => typeof value === 'string' && take(value, start),
    TemplateLiteral: ({ quasis, start }) => {
      const texts = quasis.map(({ value }) => value.cooked ?? '');
      // What comes before a new sentence is one.
      const value = (text: string, i: number): string => `⟦${i}⟧${/^ [A-Z][a-z]/.test(text) ? '.' : ''}`;
      take(
        texts.reduce((all, text, i) => `${all}${value(text, i)}${text}`),
        start,
      );
    },
    Property: ({ key, value }) => {
      const name = 'name' in key ? key.name : '';
      const isUsage = usage.includes(String(name)) || (name === 'what' && path.startsWith('src/cli/'));
      if (isUsage && !value.type.includes('Function')) away.push([value.start, value.end]);
    },
  }).visit(parseSync(path, source).program);
  return found.filter(({ start }) => !away.some(([from, to]) => from <= start && start < to));
}

/** Whether all that is no value, nor the full stop of one, stands in rows of the catalogue. */
const isKnown = ({ at, text }: Said): boolean =>
  [text, text.trim()].some((each) => {
    const values = each.match(/⟦\d⟧(\.(?= [A-Z]))?|\{\d\}/g) ?? [];
    return (
      each.length -
        understand(
          each,
          readingOf(
            each,
            evidence.some((of) => at.startsWith(of)),
          ),
        ).known <=
      values.join('').length
    );
  });

test('every text that may come before a person stands in the catalogue', () => {
  const paths = files('{bin,hooks,src}/**/*.ts').filter(
    (path) => !Object.keys(notSaid).some((each) => path.startsWith(each)),
  );
  const said = paths.flatMap((path) => saidIn(path, textOf(path)));
  assert.ok(said.length > 300, `${said.length} texts`);
  assert.equal(
    said.filter((each) => !isKnown(each)).map(({ at, text }) => `${at} ${text}`),
    [],
    'give it a row, with a code that was never used, in src/words/catalogue.json, and run `npm run docs`',
  );
});

test('a text that no row has would be seen, and usage and short words would not', () => {
  const source = [
    `throw new Error(\`\${disk} went up in smoke; the heal stays as it was\`);`,
    "const [a, b] = ['went wrong', 'wrong'];",
    "const command = { name: 'x', what: 'does something new', exits: '0 done so', run: () => 'went wrong too' };",
    `log.info({}, \`Nothing is done: \${why}.\`);`,
  ].join('\n');
  const unknown = saidIn('src/cli/command.ts', source).filter((each) => !isKnown(each));
  assert.equal(
    unknown.map(({ at, text }) => `${at} ${text}`),
    [
      'src/cli/command.ts:1 ⟦1⟧ went up in smoke; the heal stays as it was',
      'src/cli/command.ts:2 went wrong',
      'src/cli/command.ts:3 went wrong too',
    ],
  );
});

test.run();
