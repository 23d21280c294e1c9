import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { incident } from '../../src/report/incident.ts';
import { plainText } from '../../src/report/plain-text.ts';
import { linesOfHeal, parseLines } from '../../src/report/read-log.ts';
import { render } from '../../src/report/render.ts';
import { durationText, timeline } from '../../src/report/timeline.ts';
import type { HealRecord } from '../../src/state/heal-record.ts';
import { PLACES } from '../fake/observation.ts';
import { healed } from './healed.ts';

const { record, lines, report } = healed();
const html = render(report, 'html');
const markdown = render(report, 'md');

/** The tags of an HTML text, in order, each with its attributes' names; those of elements without an end have none. */
const tagsOf = (text: string): string[] =>
  [...text.matchAll(/<(\/?[a-zA-Z][\w-]*)((?:[^>"]|"[^"]*")*)>/g)].map(([, name = '', rest = '']) =>
    [
      name,
      ...[...rest.matchAll(/\s([\w:-]+)=/g)].map(([, attribute]) => attribute),
      ...(rest.endsWith('/') ? ['/'] : []),
    ].join(' '),
  );

const VOID = ['meta', 'link', 'br', 'hr', 'img', 'input'];

/** What is open at the end, or is closed and was not open. */
function unbalanced(text: string): string[] {
  const open: string[] = [];
  for (const tag of tagsOf(text)) {
    const [name = ''] = tag.split(' ');
    if (VOID.includes(name) || tag.endsWith('/')) continue;
    if (!name.startsWith('/')) open.push(name);
    else if (open.pop() !== name.slice(1)) return [`${name} does not close what is open`];
  }
  return open;
}

const unescaped = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+));/g, (_, dec, hex, name) =>
    name
      ? { amp: '&', lt: '<', gt: '>', quot: '"' }[name as 'amp']
      : String.fromCodePoint(dec ? Number(dec) : Number.parseInt(hex, 16)),
  );

test('HTML and Markdown tell the same: every fact of a heal stands in both', () => {
  const { incident } = report;
  const facts = [
    ...incident.summary,
    ...incident.impact.flatMap(({ what, value }) => [what, value]),
    ...incident.evidence.flatMap(({ source, text, at }) => [source, text, at]),
    ...incident.events.flatMap(({ at, label, msg }) => [at, label, msg]),
    ...incident.steps.flatMap(({ label, at, did = '' }) => [label, at, did]),
    ...[...incident.membersBefore, ...incident.membersAfter].flatMap(({ id, name, peerUrls }) => [
      id,
      name,
      ...peerUrls,
    ]),
    ...incident.commands.flatMap(({ command, result, at }) => [command, result, at]),
    ...incident.log,
    ...incident.actions,
    ...report.now.evidence.map(({ text }) => text),
    report.now.means,
  ];
  assert.ok(facts.length > 200, `${facts.length} facts`);
  const inHtml = unescaped(html);
  const inMarkdown = markdown.replace(/\\([\\`*_{}[\]<>#|!&~$])/g, '$1');
  assert.equal(
    facts.filter((fact) => !inHtml.includes(fact)),
    [],
  );
  assert.equal(
    facts.filter((fact) => !inMarkdown.replaceAll('\\', '').includes(fact.replaceAll('\\', ''))),
    [],
  );
});

test('it tells what a postmortem needs: both lists, the commands with their results, how long it was short', () => {
  const { incident } = report;
  const ids = (list: typeof incident.membersBefore) =>
    list.map(({ id, changed }) => (changed ? `${id}!` : id));
  assert.ok(ids(incident.membersBefore).includes(`${record.oldMemberId}!`));
  assert.ok(ids(incident.membersAfter).includes(`${record.newMemberId}!`));
  const commands = incident.commands.map(({ command }) => command);
  for (const part of [
    'systemctl daemon-reload',
    `etcdctl member remove ${record.oldMemberId}`,
    'etcdctl member add etcd2 --peer-urls=',
    'mv /etc/systemd/system/etcd.service /etc/systemd/system/etcd1.service',
  ])
    assert.ok(
      commands.some((command) => command.startsWith(part)),
      part,
    );
  assert.equal(
    commands.filter((command) => command.includes('journal.json')),
    [],
    'our own notes',
  );
  assert.ok(incident.shorter[0], 'the list was one shorter');
  assert.ok(record.longestRead && record.servedBefore.includes(record.longestRead.endpoint));
  assert.equal(
    incident.steps.map(({ label }) => label),
    ['fence', 'set-aside', 'stage', 'remove', 'add', 'start', 'verify', 'restore', 'confirm'],
  );
});

test('the HTML is well-formed, runs nothing, and asks nobody for anything', () => {
  assert.equal(unbalanced(html), []);
  const tags = tagsOf(html);
  for (const name of ['script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'base', 'foreignObject'])
    assert.equal(
      tags.filter((tag) => tag.split(' ')[0] === name),
      [],
      name,
    );
  assert.equal(
    tags.filter((tag) => /\s(src|href|xlink:href|on\w+|style)\b/.test(tag)),
    [],
  );
  assert.is.not(/@import|url\(/.test(html), true);
  assert.match(
    html,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/,
  );
});

/** Whoever may write the history or a log tries this. */
const HOSTILE =
  '</td></pre><script>alert(1)</script><img src=x onerror=alert(1)>"\' {{id}} {{{id}}} ``` | a | b\n# head\n\u001b[31mred\u0007\u202e<!-- ';

test('what others may have written is text, in HTML and in Markdown', () => {
  const bad = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value), (key, inner) =>
      typeof inner === 'string' && inner !== '' && !['at', 'startedAt', 'endedAt', 'outcome'].includes(key)
        ? `${inner}${HOSTILE}`
        : inner,
    );
  const [badHtml, badMarkdown] = [render(bad(report), 'html'), render(bad(report), 'md')];
  assert.equal(tagsOf(badHtml), tagsOf(html), 'not one tag, nor one attribute, is added');
  assert.is(badMarkdown.split('\n').length, markdown.split('\n').length, 'nor one line');
  const cells = (text: string) => text.split('\n').map((line) => line.replace(/\\./g, '').split('|').length);
  const tables = (text: string) => cells(text.replace(/^ {4}.*$/gm, ''));
  assert.equal(tables(badMarkdown), tables(markdown), 'nor one cell');
  for (const text of [badHtml, badMarkdown])
    assert.is(/\p{Cc}|[\u202a-\u202e]/u.test(text.replaceAll('\n', '')), false, 'nor one control character');
  assert.is(/(?<!\\)<(script|img|!--)/.test(badMarkdown.replace(/^ {4}.*$/gm, '')), false);
});

test('no secret stands in it', () => {
  const secrets = [
    '-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2hunter2\nhunter2\n-----END RSA PRIVATE KEY-----',
    'http://root:hunter2@10.0.0.1:2379 refused',
    'etcdctl --user root:hunter2 get x; ETCDCTL_USER=root:hunter2; ETCDCTL_PASSWORD=hunter2',
    '{"password": "hunter2", "secret":"hunter2"}',
  ];
  const evidence = secrets.map((text) => ({ source: text, text, at: record.startedAt }));
  const with_ = { ...report, incident: { ...report.incident, evidence, log: secrets } };
  for (const format of ['html', 'md'] as const)
    assert.is.not(render(with_, format).includes('hunter2'), true);
  assert.is(
    plainText('HEAL_ETCD_PASSWORD_FILE=/etc/x holds no password for root.'),
    'HEAL_ETCD_PASSWORD_FILE=/etc/x holds no password for root.',
  );
});

test('the drawing is true to scale', () => {
  const at = (ms: number) => new Date(1_700_000_000_000 + ms).toISOString();
  const { rows, ticks, height } = timeline([
    { label: 'a', at: at(0), durationMs: 500 },
    { label: 'b', at: at(500), durationMs: 1500 },
    { label: 'c', at: at(1000) },
  ]);
  assert.equal(
    rows.map(({ x, w }) => [x, w]),
    [
      ['0.00', '25.00'],
      ['25.00', '75.00'],
      ['50.00', '0.00'],
    ],
  );
  assert.equal(
    rows.map(({ text, isMark }) => [text, isMark]),
    [
      ['500ms', false],
      ['1.5s', false],
      ['1s', true],
    ],
  );
  assert.equal(
    ticks.map(({ label }) => label),
    ['0ms', '500ms', '1s', '1.5s', '2s'],
  );
  assert.ok(rows.every(({ y }, i) => y - (rows[i - 1]?.y ?? 0) >= 20 && y < height));
  assert.equal([Number.NaN, 999, 59_900, 61_000, 3_720_000].map(durationText), [
    '0ms',
    '999ms',
    '59.9s',
    '1m 1s',
    '1h 2m',
  ]);
});

test('a heal whose log is gone is told from its record, and says so', () => {
  const { actions, summary, commands, steps } = incident(record, [], PLACES.aside);
  assert.match(actions.at(-1) ?? '', /^The log of that time is not there any more/);
  assert.is(summary[0], record.message);
  assert.equal([commands.length, steps.length], [0, record.steps.length]);
});

test('a heal that was refused, and one that is not finished, say what to do next', () => {
  const of = (changes: Partial<HealRecord>) => incident({ ...record, ...changes }, lines, PLACES.aside);
  assert.match(of({ outcome: 'refused' }).actions[0] ?? '', /`heal-node plan`/);
  const { outcome: _, endedAt: __, ...unfinished } = record;
  const cut = incident({ ...unfinished, steps: record.steps.slice(0, 4) }, lines, PLACES.aside);
  assert.match(cut.actions[0] ?? '', /`heal-node resume`/);
  assert.match(cut.impact[0]?.value ?? '', /did not bring it back/);
  assert.match(render({ ...report, incident: cut }, 'html'), /not finished/);
});

test('what led to a heal is told back to the last quiet, to when it was well, or to the heal before', () => {
  const line = (minute: number, event: string, healId = '') =>
    JSON.stringify({
      level: 'info',
      time: new Date(minute * 60_000).toISOString(),
      event,
      healId,
      msg: event,
    });
  const idsOf = (...all: string[]) => linesOfHeal(parseLines(all), 'X').map(({ event }) => event);
  assert.equal(
    idsOf(
      line(0, 'old'),
      line(20, 'verdict'),
      line(21, 'action'),
      line(22, 'step', 'X'),
      line(22, 'healed', 'X'),
      line(23, 'after'),
    ),
    ['verdict', 'action', 'step', 'healed'],
  );
  assert.equal(idsOf(line(20, 'healed', 'W'), line(21, 'verdict'), line(22, 'step', 'X')), [
    'verdict',
    'step',
  ]);
  const well = line(21, 'verdict').replace('{', '{"verdict":"healthy",');
  assert.equal(idsOf(line(20, 'action'), well, line(22, 'verdict'), line(23, 'step', 'X')), [
    'verdict',
    'step',
  ]);
  assert.is(parseLines(['{"torn', 'null', line(1, 'x'), '{"msg":1,"time":"yesterday"}']).length, 1);
  assert.is(
    lines.filter(({ event }) => event === 'command').every(({ level }) => level === 'debug'),
    true,
  );
});

test.run();
