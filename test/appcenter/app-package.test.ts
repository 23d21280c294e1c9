/** `appcenter/`, checked against what docs/platform.md says of `cluster.json`. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { verdicts } from '../../src/diagnose/verdicts.ts';
import { clusterJson, layout } from '../../src/install/layout.ts';
import { settings } from '../fake/observation.ts';
import {
  APP,
  APPCENTER,
  type AppPackage,
  appPackage,
  BUILT,
  disjoint,
  render,
  SCRIPTS,
  text,
} from './app-package.ts';

const DAY_SEC = 86_400;
const keys = Object.keys;
const values = Object.values;
const same = (some: readonly string[], others: readonly string[]): boolean =>
  [...some].sort().join() === [...others].sort().join();
const between = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const customIn = ({ role }: AppPackage) =>
  Object.entries(role.services).filter(([, { type }]) => type === 'custom');
const customNames = (p: AppPackage): string[] => customIn(p).map(([name]) => name);
/** As the custom service's argument has them. */
const paramNames = ({ params }: AppPackage): string[] =>
  keys(params).map((path) => path.replace(/^service_params\.etcd_node\./, ''));
const tabsIn = ({ whole }: AppPackage) => whole.display_tabs;

/** Every command that AppCenter would call. */
const commandsIn = ({
  role: { services, health_check, monitor },
  whole: { display_tabs },
}: AppPackage): string[] => [
  ...values(services).map(({ cmd }) => cmd),
  health_check.check_cmd,
  health_check.action_cmd,
  monitor.cmd,
  ...values(display_tabs).map(({ cmd }) => cmd),
];

/** Every name that people are shown, and that the locales therefore need. */
const shownIn = (p: AppPackage): string[] => [
  ...customNames(p),
  ...values(p.params).flatMap(({ label = '', description = '' }) => [label, description]),
  ...keys(p.role.monitor.items),
  ...keys(p.role.monitor.groups),
  ...Object.entries(tabsIn(p)).flatMap(([name, { description }]) => [name, description]),
];

type Rule = readonly [rule: string, holds: (p: AppPackage) => boolean, spoil: (p: AppPackage) => unknown];

const INT = { value_type: 'int', statistics_type: 'latest' };
const withItems = ({ role: { monitor } }: AppPackage, count: number): void => {
  for (let at = 0; at < count; at++) monitor.items[`item_${at}`] = INT;
};

/** The rules, from docs/platform.md ("How AppCenter calls"), each with a change that breaks it. */
const rules: readonly Rule[] = [
  // The role
  [
    'the hooks are on role etcd_node alone',
    ({ nodes }) => nodes.length === 1 && nodes[0].role === 'etcd_node',
    ({ role }) => (role.role = 'etcd_proxy'),
  ],
  [
    'nothing changes for the whole app but the tabs',
    ({ whole }) => keys(whole).join() === 'display_tabs',
    ({ whole, role }) => Object.assign(whole, { health_check: role.health_check }),
  ],
  [
    'a command is what install lays, or a script of appcenter/bin, without arguments',
    (p) =>
      commandsIn(p).every(
        (cmd) =>
          layout().some(({ path }) => path === cmd) ||
          (dirname(cmd) === SCRIPTS && existsSync(join(APPCENTER, 'bin', cmd.slice(SCRIPTS.length + 1)))),
      ),
    ({ role }) => (role.monitor.cmd = '/opt/heal-node/bin/heal-node monitor'),
  ],
  // The health check
  [
    'the health check is on',
    ({ role }) => role.health_check.enable,
    ({ role }) => (role.health_check.enable = false),
  ],
  [
    'interval_sec is at least 60',
    ({ role }) => between(role.health_check.interval_sec, 60, DAY_SEC),
    ({ role }) => (role.health_check.interval_sec = 59),
  ],
  [
    'timeout_sec is from 3 to the interval',
    ({ role }) => between(role.health_check.timeout_sec, 3, role.health_check.interval_sec),
    ({ role }) => (role.health_check.timeout_sec = 61),
  ],
  [
    'action_timeout_sec is at least 3',
    ({ role }) => between(role.health_check.action_timeout_sec, 3, DAY_SEC),
    ({ role }) => (role.health_check.action_timeout_sec = 2),
  ],
  [
    'the thresholds are at least 2',
    ({ role: { health_check: of } }) =>
      between(of.healthy_threshold, 2, 100) && between(of.unhealthy_threshold, 2, 100),
    ({ role }) => (role.health_check.unhealthy_threshold = 1),
  ],
  [
    'the check ends before it is killed',
    ({ role }) => settings.checkTimeoutMs < role.health_check.timeout_sec * 1000,
    ({ role }) => (role.health_check.timeout_sec = 3),
  ],
  [
    'the action ends before it is killed',
    ({ role }) => settings.actionTimeoutMs < role.health_check.action_timeout_sec * 1000,
    ({ role }) => (role.health_check.action_timeout_sec = 30),
  ],
  [
    'the hooks are those that `heal-node install` prints',
    ({ role: { health_check, services } }) =>
      health_check.check_cmd === clusterJson.health_check.check_cmd &&
      health_check.action_cmd === clusterJson.health_check.action_cmd &&
      services.start.cmd === clusterJson.services.start.cmd &&
      services.stop.cmd === clusterJson.services.stop.cmd,
    ({ role }) => (role.services.stop.cmd = role.services.start.cmd),
  ],
  // The services
  [
    'start has as long as the app gives it',
    ({ role }) => role.services.start.timeout === DAY_SEC,
    ({ role }) => (role.services.start.timeout = 600),
  ],
  [
    'a timeout is at most a day',
    ({ role }) => values(role.services).every(({ timeout = 600 }) => between(timeout, 1, DAY_SEC)),
    ({ role }) => (role.services.stop.timeout = DAY_SEC + 1),
  ],
  [
    'start and stop alone take the place of the app’s own; what else there is, is custom and has a name of its own',
    (p) =>
      same([...customNames(p), 'start', 'stop'], keys(p.role.services)) &&
      disjoint(customNames(p), APP.services),
    ({ role }) => (role.services.compact = { type: 'custom', cmd: role.services.start.cmd }),
  ],
  [
    'config.json has the parameters that the custom service takes, and none of the app’s',
    (p) =>
      same(
        customIn(p).flatMap(([, { service_params: own = {} }]) => keys(own)),
        paramNames(p),
      ) && disjoint(paramNames(p), APP.params),
    ({ params }) =>
      (params['service_params.etcd_node.other'] = { key: 'other', type: 'string', default: '' }),
  ],
  [
    'a parameter has a type, and a default that fits its pattern',
    ({ params }) =>
      values(params).every(
        ({ type, pattern = '', default: given }) =>
          type === 'string' && typeof given === 'string' && new RegExp(pattern).test(given),
      ),
    ({ params }) => {
      for (const param of values(params)) param.default = 'here';
    },
  ],
  // The monitor
  [
    'there are at most 50 items, those of the app included',
    ({ role }) => keys(role.monitor.items).length + APP.items.length <= 50,
    (p) => withItems(p, 50),
  ],
  [
    'fewer than 20 are advised',
    ({ role }) => keys(role.monitor.items).length + APP.items.length < 20,
    (p) => withItems(p, 20),
  ],
  [
    'an item, and a group, has a name of its own',
    ({ role: { monitor } }) =>
      disjoint([...keys(monitor.items), ...keys(monitor.groups)], [...APP.items, ...APP.groups]),
    ({ role }) => (role.monitor.groups.state = []),
  ],
  [
    'an item is an int or a str',
    ({ role }) => values(role.monitor.items).every(({ value_type }) => /^(int|str)$/.test(value_type)),
    ({ role }) => (role.monitor.items.ratio = { ...INT, value_type: 'float' }),
  ],
  [
    'a str has enums and is shown by its latest or most frequent value; an int has none',
    ({ role }) =>
      values(role.monitor.items).every(({ value_type, statistics_type, enums }) =>
        value_type === 'str' ? enums && /^(latest|mode)$/.test(statistics_type) : !enums,
      ),
    ({ role }) => (role.monitor.items.word = { value_type: 'str', statistics_type: 'avg', enums: ['a'] }),
  ],
  [
    'the verdict’s enums are the verdicts',
    ({ role }) => same(role.monitor.items.heal_node_verdict?.enums ?? [], keys(verdicts)),
    ({ role }) => role.monitor.items.heal_node_verdict?.enums?.pop(),
  ],
  [
    'a group has 1 to 5 items that are there',
    ({ role: { monitor } }) =>
      values(monitor.groups).every(
        (group) => between(group.length, 1, 5) && group.every((name) => name in monitor.items),
      ),
    ({ role }) => role.monitor.groups.heal_node_heals?.push('heal_node_other'),
  ],
  [
    'what is displayed is an item or a group, and every item is displayed once',
    ({ role: { monitor } }) =>
      same(
        monitor.display.flatMap((name) => monitor.groups[name] ?? [name]),
        keys(monitor.items),
      ),
    ({ role }) => role.monitor.display.pop(),
  ],
  [
    'what can be alarmed on is an item, and the verdict is one of them',
    ({ role: { monitor } }) =>
      monitor.alarm.every((name) => name in monitor.items) && monitor.alarm.includes('heal_node_verdict'),
    ({ role }) => role.monitor.alarm.shift(),
  ],
  // The tabs
  [
    'there are at most 5 tabs, that of the app included, each with a name of its own',
    (p) => keys(tabsIn(p)).length + APP.tabs.length <= 5 && disjoint(keys(tabsIn(p)), APP.tabs),
    ({ whole: { display_tabs: tabs } }) => {
      for (const name of 'abcd') Object.assign(tabs, { [name]: tabs.healHistory });
    },
  ],
  [
    'a tab has at most 10 s, and is made on an etcd node',
    (p) =>
      values(tabsIn(p)).every(
        ({ timeout, roles_to_execute_on: on }) => between(timeout, 1, 10) && on.join() === 'etcd_node',
      ),
    (p) => tabsIn(p).healHistory?.roles_to_execute_on.push('etcd_proxy'),
  ],
  // The locales
  [
    'both locales have the same names',
    ({ en, zh }) => same(keys(en), keys(zh)),
    ({ zh }) => delete zh.healMember,
  ],
  [
    'they have every name that is shown, and beside the exits no other',
    (p) =>
      same(
        keys(p.en).filter((key) => !key.startsWith('err_code')),
        shownIn(p),
      ),
    ({ role }) => (role.monitor.items.heal_node_other = INT),
  ],
  [
    'no text is empty, and the Chinese is Chinese',
    ({ en, zh }) =>
      values(en).every((each) => each.trim() !== '') &&
      values(zh).every((each) => /\p{Script=Han}/u.test(each)),
    ({ zh, en }) => Object.assign(zh, en),
  ],
  [
    'to heal is 自愈 or 恢复, never 修复, which is the console’s name for what overwrites all other nodes',
    ({ zh }) => !values(zh).join().includes('修复'),
    ({ zh }) => (zh.healMember = '修复节点'),
  ],
];

for (const [rule, holds, spoil] of rules)
  test(rule, () => {
    assert.ok(holds(appPackage()));
    const spoilt = appPackage();
    spoil(spoilt);
    assert.not.ok(holds(spoilt), 'what breaks the rule is seen');
  });

test('a template that names what config.json does not define would be seen', () =>
  assert.throws(() => render('{"nodes":[{{service_params.etcd_node.other}}]}', {}), /does not define/));

test('no file begins with a byte order mark', () => {
  for (const path of ['cluster.json.mustache', 'config.json', 'locale/en.json', 'locale/zh-cn.json'])
    assert.is(text(path)[0], '{', path);
});

test('the image role: every command is in the image, and may be run', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'heal-node-app-'));
  try {
    const [role, image] = [join(dir, 'role'), join(dir, 'image')];
    cpSync(join(APPCENTER, 'image-role/files'), role, { recursive: true });
    cpSync(join(APPCENTER, 'bin'), role, { recursive: true });
    cpSync(BUILT, join(role, 'heal-node'));
    mkdirSync(image);
    for (const time of ['first', 'again']) {
      const { exitCode, stderr } = await execa(join(role, 'install.sh'), [image], { reject: false });
      assert.is(exitCode, 0, `${time}: ${stderr}`);
    }
    for (const name of readdirSync(join(APPCENTER, 'bin')))
      assert.is(statSync(join(image, SCRIPTS, name)).mode & 0o7777, 0o755, name);
    assert.equal(readdirSync(join(image, SCRIPTS)).sort(), readdirSync(join(APPCENTER, 'bin')).sort());
    for (const cmd of commandsIn(appPackage())) assert.ok(statSync(join(image, cmd)).mode & 0o100, cmd);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the image role runs what it has copied, and removes it', () => {
  const tasks = Bun.YAML.parse(text('image-role/tasks/main.yml')) as {
    readonly copy?: { readonly dest: string };
    readonly command?: string;
    readonly file?: { readonly path: string; readonly state: string };
  }[];
  const [copied, ran, removed] = tasks;
  const place = copied?.copy?.dest.replace(/\/$/, '');
  assert.is(ran?.command, `${place}/install.sh`);
  assert.equal(removed?.file, { path: place, state: 'absent' });
});

test.run();
