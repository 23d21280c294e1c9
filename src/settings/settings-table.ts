/**
 * Every setting, once. The loader, the error texts and the settings file that `heal-node install` writes all read this
 * table; to add a setting is to add a row.
 */

export interface SettingRow<T> {
  /** The key in `heal-node.env` and in the environment. */
  readonly key: `HEAL_${string}`;
  /** One sentence for people. */
  readonly what: string;
  /** What is allowed, as it stands in an error. */
  readonly allowed: string;
  /** The default, in the form that a person would write. */
  readonly fallback: string;
  /** The value, or undefined when `text` is not allowed. */
  readonly parse: (text: string) => T | undefined;
}

type Kind<T> = Pick<SettingRow<T>, 'allowed' | 'parse'>;

const kind = <T>(allowed: string, parse: Kind<T>['parse']): Kind<T> => ({ allowed, parse });

const row = <T>(key: SettingRow<T>['key'], fallback: string, of: Kind<T>) => ({
  is: (what: string): SettingRow<T> => ({ key, fallback, ...of, what }),
});

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `3s`, `2m`, `1h`; the value is in milliseconds. */
export const duration = kind('a duration such as 500ms, 3s, 2m or 1h, from 1ms to 24h', (text) => {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(count) * (MS_PER_UNIT[unit ?? ''] ?? Number.NaN);
  return ms >= 1 && ms <= 24 * 3_600_000 ? ms : undefined;
});

const number = (allowed: string, pattern: RegExp, least: number, most: number) =>
  kind(allowed, (text) => {
    const n = pattern.test(text) ? Number(text) : Number.NaN;
    return n >= least && n <= most ? n : undefined;
  });
const upTo100 = number('a whole number from 0 to 100', /^\d{1,6}$/, 0, 100);
const fraction = number('0, or a fraction of the time such as 0.001, up to 0.1', /^0(\.\d{1,9})?$/, 0, 0.1);

const oneOf = <const T extends string>(...names: readonly T[]) =>
  kind(names.join(', '), (text) => names.find((name) => name === text));

const absolutePath = kind('an absolute path without .. or spaces', (text) =>
  /^\/[^\s\0]*$/.test(text) && !text.split('/').includes('..') ? text.replace(/\/+$/, '') || '/' : undefined,
);
const optionalPath = kind('empty, or an absolute path', (text) => text && absolutePath.parse(text));

const ABOUT_COMMANDS =
  'an absolute path of a program and its words, separated by spaces (no shell, no quotes)';
/** Split at white space and run without a shell: the first word is the program. */
const command = kind(ABOUT_COMMANDS, (text): readonly string[] | undefined => {
  const words = text.trim().split(/\s+/);
  return words[0]?.startsWith('/') && !/["'`$|;&<>]/.test(text) ? words : undefined;
});

const matching = (allowed: string, pattern: RegExp) =>
  kind(allowed, (text) => (pattern.test(text) ? text : undefined));
const unitName = matching(
  'the name of a systemd service unit, such as etcd.service',
  /^[A-Za-z0-9_.-]{1,100}\.service$/,
);
const userName = matching('empty, or the name of an etcd user (no colon, no white space)', /^[^\s:]{0,100}$/);

export const settingsTable = {
  mode: row('HEAL_MODE', 'auto', oneOf('auto', 'manual', 'off')).is(
    "auto: the health action heals; manual: it diagnoses and reports, a person heals; off: hooks do what the app's own would",
  ),
  healAtBoot: row('HEAL_AT_BOOT', 'on', oneOf('on', 'off')).is(
    "whether lost data are healed as soon as etcd's start is refused, or only when AppCenter's health action comes",
  ),
  startCmd: row('HEAL_START_CMD', '/opt/app/bin/ctl.sh start', command).is("the app's own start"),
  stopCmd: row('HEAL_STOP_CMD', '/opt/app/bin/ctl.sh stop', command).is("the app's own stop"),
  restartCmd: row('HEAL_RESTART_CMD', '/opt/app/bin/ctl.sh restart', command).is(
    "the app's own health action",
  ),
  appEnv: row('HEAL_APP_ENV', '/opt/app/bin/.env', absolutePath).is("the app's view of the cluster"),
  etcdEnv: row('HEAL_ETCD_ENV', '/opt/app/conf/etcd.env', absolutePath).is("etcd's environment file"),
  etcdUnit: row('HEAL_ETCD_UNIT', 'etcd.service', unitName).is("etcd's unit"),
  etcdctl: row('HEAL_ETCDCTL', '/opt/etcd/current/etcdctl', absolutePath).is('the etcdctl to use'),
  stateDir: row('HEAL_STATE_DIR', '/var/lib/etcd/heal-node', absolutePath).is(
    'heal journal, history and data set aside; must be on the file system of the data dir',
  ),
  checkTimeoutMs: row('HEAL_CHECK_TIMEOUT', '3s', duration).is('the longest that health-check takes'),
  actionTimeoutMs: row('HEAL_ACTION_TIMEOUT', '45s', duration).is('the longest that health-action takes'),
  verifyTimeoutMs: row('HEAL_VERIFY_TIMEOUT', '120s', duration).is(
    'how long a new member may receive nothing before the heal is called failed; without limit while data arrive',
  ),
  startWaitMs: row('HEAL_START_WAIT', '60s', duration).is(
    'how long start waits for the others when this node has lost its data, before it gives up',
  ),
  deepCheckIntervalMs: row('HEAL_DEEP_CHECK_INTERVAL', '5m', duration).is(
    'how often, at most, a healthy member looks whether it is who it should be, and compares its data with the others',
  ),
  compare: row('HEAL_COMPARE', '0.001', fraction).is(
    "how much of each member's time comparing data may cost, as writes wait on a member for as long as it hashes; 0 never compares",
  ),
  onDivergence: row('HEAL_ON_DIVERGENCE', 'report', oneOf('report', 'heal')).is(
    'what to do about a member whose data alone differ from those of all others',
  ),
  birthmark: row('HEAL_BIRTHMARK', 'on', oneOf('on', 'off')).is(
    'whether the cluster carries one small key of ours, heal-node/birthmark, by which a node knows it again',
  ),
  takeOverAfterMs: row('HEAL_TAKE_OVER_AFTER', '5m', duration).is(
    'how long nobody must have touched a runbook that was begun by hand before it is taken up unasked',
  ),
  maxPerDay: row('HEAL_MAX_PER_DAY', '3', upTo100).is('heals begun in 24 hours, at most'),
  keepAside: row('HEAL_KEEP_ASIDE', '1', upTo100).is(
    'how many data dirs set aside are kept; with 0 they are discarded where there is no room for the data to come',
  ),
  language: row('HEAL_LANG', 'auto', oneOf('auto', 'en', 'zh')).is(
    'the language of what commands and hooks say: that of the locale, English, or Chinese; the log and --json are English',
  ),
  etcdUser: row('HEAL_ETCD_USER', '', userName).is(
    'the etcd user for membership calls where authentication is on',
  ),
  etcdPasswordFile: row('HEAL_ETCD_PASSWORD_FILE', '', optionalPath).is(
    "a root-owned file with that user's password",
  ),
} as const;

type Table = typeof settingsTable;
export type Mode = Settings['mode'];

/** The settings in force, parsed. Names end in `Ms` where the value is milliseconds. */
export type Settings = { readonly [K in keyof Table]: NonNullable<ReturnType<Table[K]['parse']>> };
