/**
 * Every setting, once. The loader, the error texts and the settings file that `heal-node install` writes all read this
 * table; to add a setting is to add a row. The healthy check loads it, and so it has no sentences.
 */
import type texts from './setting-texts.json';

type Key = keyof typeof texts;

export interface SettingRow<T> {
  /** The key in `heal-node.env` and in the environment; what it is stands under it in setting-texts.json. */
  readonly key: Key;
  /** What is allowed, as it stands in an error. */
  readonly allowed: string;
  /** The default, in the form that a person would write. */
  readonly fallback: string;
  /** The value, or undefined when `text` is not allowed. */
  readonly parse: (text: string) => T | undefined;
}

type Kind<T> = Pick<SettingRow<T>, 'allowed' | 'parse'>;

const kind = <T>(allowed: string, parse: Kind<T>['parse']): Kind<T> => ({ allowed, parse });

const row = <T>(key: Key, fallback: string, of: Kind<T>): SettingRow<T> => ({ key, fallback, ...of });

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
  mode: row('HEAL_MODE', 'auto', oneOf('auto', 'manual', 'off')),
  healAtBoot: row('HEAL_AT_BOOT', 'on', oneOf('on', 'off')),
  startCmd: row('HEAL_START_CMD', '/opt/app/bin/ctl.sh start', command),
  stopCmd: row('HEAL_STOP_CMD', '/opt/app/bin/ctl.sh stop', command),
  restartCmd: row('HEAL_RESTART_CMD', '/opt/app/bin/ctl.sh restart', command),
  appEnv: row('HEAL_APP_ENV', '/opt/app/bin/.env', absolutePath),
  etcdEnv: row('HEAL_ETCD_ENV', '/opt/app/conf/etcd.env', absolutePath),
  etcdUnit: row('HEAL_ETCD_UNIT', 'etcd.service', unitName),
  etcdctl: row('HEAL_ETCDCTL', '/opt/etcd/current/etcdctl', absolutePath),
  stateDir: row('HEAL_STATE_DIR', '/var/lib/etcd/heal-node', absolutePath),
  checkTimeoutMs: row('HEAL_CHECK_TIMEOUT', '3s', duration),
  actionTimeoutMs: row('HEAL_ACTION_TIMEOUT', '45s', duration),
  verifyTimeoutMs: row('HEAL_VERIFY_TIMEOUT', '120s', duration),
  startWaitMs: row('HEAL_START_WAIT', '60s', duration),
  deepCheckIntervalMs: row('HEAL_DEEP_CHECK_INTERVAL', '5m', duration),
  compare: row('HEAL_COMPARE', '0.001', fraction),
  onDivergence: row('HEAL_ON_DIVERGENCE', 'report', oneOf('report', 'heal')),
  birthmark: row('HEAL_BIRTHMARK', 'on', oneOf('on', 'off')),
  takeOverAfterMs: row('HEAL_TAKE_OVER_AFTER', '5m', duration),
  maxPerDay: row('HEAL_MAX_PER_DAY', '3', upTo100),
  keepAside: row('HEAL_KEEP_ASIDE', '1', upTo100),
  language: row('HEAL_LANG', 'auto', oneOf('auto', 'en', 'zh')),
  etcdUser: row('HEAL_ETCD_USER', '', userName),
  etcdPasswordFile: row('HEAL_ETCD_PASSWORD_FILE', '', optionalPath),
} as const;

type Table = typeof settingsTable;
export type Mode = Settings['mode'];

/** The settings in force, parsed. Names end in `Ms` where the value is milliseconds. */
export type Settings = { readonly [K in keyof Table]: NonNullable<ReturnType<Table[K]['parse']>> };
