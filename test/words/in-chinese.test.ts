/** What commands and hooks say with HEAL_LANG=zh, whole, on fake nodes: no sentence of it is English. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plugin } from 'bun';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { World } from '../../src/observe/world.ts';
import type { ThreeMembers as Members } from '../fake/three-members.ts';

const dir = mkdtempSync(join(tmpdir(), 'heal-node-zh-'));
const LOG_FILE = join(dir, 'heal-node.log');
const now: { world?: World } = {};
Object.assign(globalThis, { realWorld: () => now.world });
// The commands look at a fake world in place of the real one, and write their log elsewhere.
plugin({
  name: 'a fake world',
  setup(build) {
    const realWorld = 'export const realWorld = globalThis.realWorld;';
    build.onLoad({ filter: /\/src\/observe\/real-world\.ts$/ }, () => ({
      contents: realWorld,
      loader: 'ts',
    }));
    build.onLoad({ filter: /\/src\/state\/places\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace('/var/log/heal-node/heal-node.log', LOG_FILE),
      loader: 'ts',
    }));
  },
});
process.env.HEAL_LANG = 'zh';
// A person runs them as root.
process.getuid = () => 0;
const { main } = await import('../../src/cli/main.ts');
const { commands } = await import('../../src/cli/commands.ts');
const { whatNext, headline } = await import('../../src/cli/diagnose-command.ts');
const { start, stop } = await import('../../src/act/start-stop.ts');
const { gate } = await import('../../src/act/gate.ts');
const { healthAction } = await import('../../src/act/health-action.ts');
const { sayUnusable } = await import('../../hooks/hooks.ts');
const { diagnose } = await import('../../src/diagnose/diagnose.ts');
const { healRecordFile } = await import('../../src/state/heal-record.ts');
const { noLog } = await import('../../src/report/log.ts');
const { readingOf, retell, speak, tellEvidence } = await import('../../src/words/retell.ts');
const { default: usage } = await import('../../src/cli/usage-in-chinese.json');
const { default: texts } = await import('../../src/report/texts.json');
const { ThreeMembers } = await import('../fake/three-members.ts');
const { healed } = await import('../report/healed.ts');
const { cases } = await import('../diagnose/cases.ts');
const { PLACES, settings, situation } = await import('../fake/observation.ts');

test.after(() => {
  rmSync(dir, { recursive: true });
  speak({ language: 'en' });
});

/** What is no sentence of ours. */
const allowed: readonly RegExp[] = [
  /shows the end of[\s\S]*?terminal$/gm, // with the path of the log, which is another here
  /`[^`]*`/g, // a command
  /^.*的日志（本次开机后的最后一次运行）.*$/gm, // a line of etcd's log
  /This node holds: [^。]*\./g, // to be compared with those of other nodes, whose language may be another
  /(?<=\p{Script=Han})\([^()]*\)/gu, // the words of etcd or of the field behind ours
  /^( {5}| {7})\S.*$/gm, // a command of the ways without a quorum
  /(?<=^[| ]*[\d-]+T[\d:.]+Z (DEBUG heal-node\.service:|\|) )(systemctl|etcdctl|mv|cp|rm|mkdir|write|kill|chown) .*$/gm, // a command of the heal
  /\bcontext deadline exceeded\b|\bno such file or directory\b|\bno leader\b/g, // etcd's own words
  /Failed to stop \S+: Unit \S+ not loaded/g, // and systemd's
  /^[{}\]"\s].*["{}\],]$/gm, // JSON
];

/** Three words of English and more, one after the other, or two with one that stands in sentences alone. */
const englishIn = (text: string): string[] =>
  allowed
    .reduce((rest, each) => rest.replace(each, ''), text)
    .match(
      /(?<![\w/.=:-])([A-Za-z][a-z’']+(?: [A-Za-z][a-z’']*){2,}|(is|are|was|has|not|no|the|it|its|and|cannot|does) [a-z]+|[a-z]+ (is|are|was|has|not|the|it|cannot|does))(?![\w/=])/g,
    ) ?? [];

/** What something prints on both of its outputs. */
function printed(fake: Members, act: (world: World) => Promise<number>): string {
  const lines: string[] = [];
  const { log, error } = console;
  const { stdout, stderr } = process;
  const [out, err] = [stdout.write, stderr.write];
  console.log = console.error = (line: string) => lines.push(line);
  stdout.write = stderr.write = (text: string | Uint8Array) => lines.push(String(text)) > 0;
  try {
    fake.run((world) => {
      now.world = world;
      return act(world);
    });
  } finally {
    console.log = log;
    console.error = error;
    stdout.write = out;
    stderr.write = err;
  }
  return lines.join('\n');
}

function said(fake: Members, ...words: string[]): string {
  const text = printed(fake, () => main(words));
  assert.ok(text.length > 0, words.join(' '));
  return text;
}

const telling = [['status'], ['diagnose'], ['plan'], ['doctor'], ['history'], ['report', '--md']];
/** A line for each row and each sentence. */
const htmlText = (html: string): string =>
  html
    .replace(/<style>.*?<\/style>|<td class="mono">.*?<\/td>|<pre>.*?<\/pre>/gs, '')
    .replace(/<(?!\/?(tr|p|li|h\d)\b)[^>]*>/g, ' ')
    .replace(/<[^>]*>/g, '\n')
    .replaceAll('&#x60;', '`');

function healedAndLogged() {
  const all = healed();
  writeFileSync(LOG_FILE, all.lines.map(({ raw }) => `${raw}\n`).join(''));
  return all;
}

const scenarios: Readonly<Record<string, () => Members>> = {
  healthy: () => new ThreeMembers('none'),
  'WAL damaged': () => new ThreeMembers('WAL damaged'),
  'volume lost': () => new ThreeMembers('volume lost'),
  'volume lost, with TLS': () => new ThreeMembers('volume lost', {}, 3, true),
  'log short': () => new ThreeMembers('log short'),
  'without the others': () => {
    const fake = new ThreeMembers('WAL gone');
    fake.othersOff();
    fake.pass(60_000);
    return fake;
  },
  alarmed: () => {
    const fake = new ThreeMembers('none');
    fake.raise([{ memberId: fake.oldId, alarm: 'NOSPACE' }]);
    fake.pass(2000);
    return fake;
  },
  paused: () => {
    const fake = new ThreeMembers('WAL damaged');
    said(fake, 'pause', '--for', '2h', '--reason', 'x', '--cluster');
    return fake;
  },
  'cut off': () => {
    const { fake, record } = healedAndLogged();
    const { outcome: _, endedAt: __, ...cut } = record;
    const begun = { ...cut, steps: record.steps.slice(0, 3) };
    fake.run(({ machine }) => healRecordFile.write(machine, PLACES.journal, begun));
    return fake;
  },
  refused: () => {
    const fake = new ThreeMembers('WAL damaged', { maxPerDay: 0 });
    fake.heal('operator');
    return fake;
  },
  healed: () => healedAndLogged().fake,
};

for (const [name, made] of Object.entries(scenarios))
  test(`${name}: no sentence is English`, () => {
    const fake = made();
    for (const words of telling) assert.equal(englishIn(said(fake, ...words)), [], words.join(' '));
    assert.equal(englishIn(htmlText(said(fake, 'report'))), [], 'report');
    const gated = printed(fake, async (world) => console.log(retell((await gate(world)) ?? '')) ?? 0);
    assert.equal(englishIn(gated), [], 'gate');
    const { message } = fake.run((world) => healthAction(world, fake.settings, noLog));
    assert.equal(englishIn(retell(message)), [], 'health-action');
    for (const hook of [stop, start])
      assert.equal(englishIn(printed(fake, (world) => hook(world, fake.settings, noLog))), [], hook.name);
  });

test('what acts, and what cannot be done, is Chinese too', () => {
  const { fake, record } = healedAndLogged();
  for (const words of [
    ['logs', '--heal', record.id],
    ['status', '--watch'],
    ['config'],
    ['pause', '--for', '30m', '--reason', 'x'],
    ['unpause'],
    ['unpause', '--cluster'],
    ['adopt'],
    ['adopt', '--found'],
    ['adopt', '--discard-ahead'],
    ['restore'],
    ['heal'],
    ['heal', '--dry-run'],
    ['report', 'x'],
    ['logs', '--since', 'x'],
    ['pause'],
    ['install', '--root', join(dir, 'x')],
    ['install', '--root', dir],
    ['install', '--root', dir],
  ])
    assert.equal(englishIn(said(fake, ...words)), [], words.join(' '));
});

test('the help, and what is wrong with a call', () => {
  const fake = new ThreeMembers('none');
  const calls = [
    ['--help'],
    ...commands.map(({ name }) => [name, '--help']),
    ['x'],
    ['statu'],
    ['status', '--x'],
    ['status', '--jsn'],
    ['status', 'a'],
    ['report', 'a', 'b'],
    ['hook'],
    ['hook', 'x'],
    ['pause', '--for'],
  ];
  for (const words of calls) assert.equal(englishIn(said(fake, ...words)), [], words.join(' '));
  const used = commands.flatMap(({ what, words = [], options = [], exits }) => [
    what.replace(LOG_FILE, '/var/log/heal-node/heal-node.log'),
    ...[...words, ...options].map(([, each]) => each),
    ...(exits ? [exits] : []),
  ]);
  assert.equal(
    used.filter((text) => !(text in usage)),
    [],
    'give it a row in src/cli/usage-in-chinese.json',
  );
});

test('every diagnosis with its evidence, and what comes next', () => {
  for (const [reason, observed] of cases) {
    const s = situation(observed);
    const diagnosis = diagnose(s);
    const looked = { diagnosis, settings, situation: s, world: undefined as never };
    const evidence = diagnosis.evidence.map(tellEvidence).map(({ source, text }) => `${source}: ${text}`);
    for (const line of [headline(looked), ...evidence, ...whatNext(looked)])
      assert.equal(englishIn(line), [], `${reason}: ${line}`);
  }
});

test('every text of the report’s templates is there in Chinese', () => {
  const templates = ['html', 'md'].map((format) =>
    readFileSync(join(import.meta.dirname, `../../src/report/report.${format}.mustache`), 'utf8'),
  );
  const keys = templates.flatMap((text) => [...text.matchAll(/\{\{#say\}\}(.*?)\{\{\/say\}\}/g)]);
  const of = [
    ...keys.map(([, key = '']) => key),
    ...texts.impact.flatMap(({ what, value }) => [what, value]),
    ...texts.actions,
    ...Object.values(texts.events),
  ];
  assert.ok(of.length > 60);
  assert.equal(
    of.filter((key) => !(key in texts.zh)),
    [],
  );
  const places = (text: string) => (text.match(/\{\{[^}]*\}\}/g) ?? []).sort();
  for (const [en, zh] of Object.entries(texts.zh)) assert.equal(places(zh), places(en), en);
});

test('a hook with settings that cannot be used says so in the language that they set', () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  const say = (language: string) => {
    process.env.HEAL_LANG = language;
    process.env.HEAL_MODE = 'x';
    sayUnusable(
      'heal-node acts as with HEAL_MODE=off: the environment: HEAL_MODE=x is not allowed; allowed is auto, manual, off.',
    );
  };
  try {
    say('en');
    say('zh');
  } finally {
    console.log = log;
    delete process.env.HEAL_MODE;
    speak({ language: 'zh' });
  }
  assert.equal(lines, [
    'heal-node acts as with HEAL_MODE=off: the environment: HEAL_MODE=x is not allowed; allowed is auto, manual, off. [HN-939]',
    'heal-node 按 HEAL_MODE=off 运行：环境变量：设置 HEAL_MODE=x 不允许；应为：auto, manual, off。[HN-939]',
  ]);
});

test('an English sentence would be seen, and a name, a path or a line of etcd’s log would not', () => {
  assert.equal(englishIn('成员没有服务：it does not answer。'), ['it does not answer']);
  const failed =
    'failed (failed), result exit-code, last exit code 1, 5 restarts, started 2026-01-01T00:00:18.000Z, from /etc/x';
  const told = tellEvidence({ source: 'process 7', text: failed });
  assert.equal(told, {
    source: '进程 7',
    text: 'failed（failed），result exit-code，上次退出码 1，重启 5 次，启动于 2026-01-01T00:00:18.000Z，单元文件 /etc/x',
  });
  assert.equal(englishIn('且 /a/ca.pem, /a/b.pem are missing。'), ['are missing']);
  assert.equal(englishIn('etcd.service: failed（failed），单元 /etc/systemd/system/etcd.service'), []);
  assert.equal(englishIn('leader etcd3，term 2，last entry 19，raft index 20'), []);
  assert.ok(readingOf('crc mismatch', true).rows.length > 0);
});

test.run();
