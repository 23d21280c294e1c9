import { setTimeout as sleep } from 'node:timers/promises';
import { type LogLine, linesOfHeal, parseLines, readableLine, tailOf, wholeLog } from '../report/read-log.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { HEAL_ID } from '../state/heal-record.ts';
import { LOG_FILE } from '../state/places.ts';
import { type CommandSpec, EXIT, UsageError } from './command.ts';

export const FOLLOW_MS = 250;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const DAY = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
/** The values of options, and what is allowed. */
const values = [
  ['lines', /^[1-9]\d{0,5}$/, 'a whole number from 1 to 999999'],
  ['heal', HEAL_ID, 'the ID of a heal, as `heal-node history` lists it'],
  [
    'since',
    new RegExp(String.raw`^(\d{1,6}[smhd]|${DAY}(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?Z)?)$`),
    'a time ago such as 45s, 30m, 2h or 3d, or a moment such as 2026-11-29 or 2026-11-29T18:00Z',
  ],
] as const;

export const logsCommand: CommandSpec = {
  name: 'logs',
  run: async ({ json, follow, ...given }) => {
    const { lines, since, heal } = given as Readonly<Record<string, string | undefined>>;
    for (const [option, allowed, what] of values)
      if (given[option] !== undefined && !allowed.test(String(given[option])))
        throw new UsageError(`--${option} ${given[option]} is not allowed; allowed is ${what}`);
    const [, count, unit = ''] = /^(\d+)(.)$/.exec(since ?? '') ?? [];
    const fromMs = count
      ? Date.now() - Number(count) * (UNIT_MS[unit] ?? 0)
      : Date.parse(since ?? '1970-01-01');
    const isShown = ({ time, level }: LogLine): boolean =>
      Date.parse(time) >= fromMs && (level !== 'debug' || heal !== undefined || json === true);
    loadSettings(); // for its language
    const show = (shown: readonly LogLine[]): void => {
      for (const line of shown.filter(isShown)) console.log(json ? line.raw : readableLine(line));
    };
    const newest = tailOf(LOG_FILE, 0);
    const all = wholeLog(newest);
    const most = lines ?? (since || heal ? Number.POSITIVE_INFINITY : 50);
    show((heal ? linesOfHeal(all, heal) : all).filter(isShown).slice(-Number(most)));
    while (follow) {
      await sleep(FOLLOW_MS);
      show(parseLines(newest()));
    }
    return EXIT.done;
  },
};
