/** The man page, from the values that the parser, the settings' reader and install go by. */
import { hookNames } from '../../src/appcenter/own-command.ts';
import type { Described } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { packagedPath } from '../../src/install/layout.ts';
import { SETTINGS_FILE } from '../../src/settings/parse-settings.ts';
import { settingRows } from '../../src/settings/setting-rows.ts';
import { EXECUTABLE, HEAL_UNIT, LOG_FILE, UNIT_DIR } from '../../src/state/places.ts';

/** Text as roff takes it: no escapes of its own, hyphens that can be searched for (groff_man(7)). */
const roff = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-');

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const sentence = (text: string): string => roff(`${text[0]?.toUpperCase()}${text.slice(1)}.`);
/** In lines of a source, at most 80 bytes long; none begins as a request does. Where they break shows nowhere. */
const filled = (text: string): string =>
  text.replace(/(\S.{0,76}) +(?=\S)/g, '$1\n').replace(/^(?=[.'])/gm, '\\&');
/** Paragraphs, with this request between them. */
const apart = (request: string, texts: readonly string[]): string => texts.map(filled).join(`\n${request}\n`);
const entry = (tag: string, ...texts: readonly string[]): string => `.TP\n${tag}\n${apart('.IP', texts)}`;
const section = (title: string, texts: readonly string[], entries: readonly string[] = []): string =>
  [`.SH ${title}`, ...(texts.length > 0 ? [apart('.PP', texts)] : []), ...entries].join('\n');

function command({ name, what, words = [], options = [], json, exits }: Described): string {
  const synopsis = [
    bold(name),
    ...words.map(([word]) => `\\fI${roff(word)}\\fR`),
    ...options.map(([flags]) => `[${bold(flags)}]`),
    ...(json ? [`[${bold('--json')}]`] : []),
  ].join(' ');
  return entry(
    synopsis,
    sentence(what),
    ...words.map(([word, means]) => `\\fI${roff(word)}\\fR: ${roff(means)}.`),
    ...options.map(([flags, means]) => `${bold(flags)}: ${roff(means)}.`),
    ...(json ? [`${bold('--json')}: ${roff(`prints ${json}.`)}`] : []),
    ...(exits ? [roff(`Exit codes: ${exits}.`)] : []),
  );
}

const setting = ({ key, what, allowed, fallback }: (typeof settingRows)[number]): string =>
  entry(`${bold(key)}=${roff(fallback)}`, roff(`${what.replace(/\.$/, '')}. Allowed: ${allowed}.`));

const FILES: Readonly<Record<string, string>> = {
  [EXECUTABLE]: `The executable, and beside it the hooks that AppCenter calls: ${hookNames.join(', ')}.`,
  [SETTINGS_FILE]: 'The settings.',
  [packagedPath(`${UNIT_DIR}/${HEAL_UNIT}`)]: 'Takes up an unfinished heal at boot.',
  '/var/lib/etcd/heal-node': 'The journal of a heal, the history, and data that were set aside.',
  '/var/lib/heal-node': 'Marks, the outcome of the last heal, metrics; the original unit during a heal.',
  [LOG_FILE]: 'The log, JSON lines. heal-node rotates it itself: 4 MiB, and three older files.',
};

const DESCRIPTION = [
  'heal-node finds out why an etcd member does not serve. One that can never come back with the data it has is replaced by a new member, while the others serve and every guard passes; nothing else is touched.',
  'AppCenter calls its hooks, and systemd asks it before each start of etcd. The commands below are for people, and have to be run by root.',
];
const EXITS =
  '0 done, 1 failed, 2 usage or settings, 3 refused by a guard, 4 not healthy (status, diagnose).';
const SETTINGS = `Keys of ${SETTINGS_FILE}, each with its default; the environment wins over the file. A value that is not allowed makes the hooks do what the app's own would.`;
const SEE_ALSO = [
  `${bold('etcd')}(1), ${bold('systemctl')}(1)`,
  roff('/usr/share/doc/heal-node: README.md, docs/operator.md, docs/runbook.md'),
];

/** @param date as `2026-11-29` */
export const manPage = (version: string, date: string): string =>
  `${[
    `.TH HEAL\\-NODE 1 "${date}" "heal\\-node ${roff(version)}"`,
    section('NAME', ['heal\\-node \\- brings an etcd node on QingCloud AppCenter back by itself']),
    section('SYNOPSIS', [`${bold('heal-node')} \\fIcommand\\fR [\\fIoptions\\fR]`]),
    section('DESCRIPTION', DESCRIPTION.map(roff)),
    section('COMMANDS', [], commands.map(command)),
    section('EXIT STATUS', [roff(EXITS)]),
    section('SETTINGS', [roff(SETTINGS)], settingRows.map(setting)),
    section(
      'FILES',
      [],
      Object.entries(FILES).map(([path, what]) => entry(bold(path), roff(what))),
    ),
    section('SEE ALSO', SEE_ALSO),
  ].join('\n')}\n`;
