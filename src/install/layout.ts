import { hookNames } from '../appcenter/own-command.ts';
import { SETTINGS_FILE } from '../settings/parse-settings.ts';
import { type SettingRow, settingsTable } from '../settings/settings-table.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT, RESTORED, UNIT_DIR } from '../state/places.ts';

const BIN = EXECUTABLE.slice(0, EXECUTABLE.lastIndexOf('/'));

const unitText = `[Unit]
Description=heal-node: takes up an unfinished heal of this etcd member
After=network.target

[Service]
Type=simple
ExecStart=${EXECUTABLE} resume --in-service
# A healer that is killed goes on; one that has refused or failed waits for the next health action.
Restart=on-abnormal
RestartSec=1
# However often it is killed (the old name is known to every systemd since 229).
StartLimitInterval=0
UMask=0077
# A password may be in its memory.
LimitCORE=0

[Install]
WantedBy=multi-user.target
`;

const settingsText = [
  '# Settings of heal-node. Every key is optional; the defaults are shown. A bad value makes the hooks do what',
  "# the app's own would, and say so.",
  ...(Object.values(settingsTable) as SettingRow<unknown>[]).flatMap(({ key, fallback, what, allowed }) => [
    '',
    `# ${what}`,
    `# allowed: ${allowed}`,
    `#${key}=${fallback}`,
  ]),
  '',
].join('\n');

/**
 * Asked before every start of etcd. Only exit 3 keeps etcd down: a gate that is missing, or fails for its own
 * reasons, lets it start. Where a heal starts etcd on the original unit it is the heal that decides: it leaves a mark,
 * which is good for one start and for this boot. A unit that systemd starts again while a heal puts it aside finds none.
 */
const gateText = `# heal-node: asks before etcd is started, see \`heal-node gate --help\`
[Service]
ExecStartPre=+/bin/sh -c 'rm ${RESTORED} 2>/dev/null || ${EXECUTABLE} gate; [ $$? -ne 3 ]'
`;

/** `anyTarget`: systemd goes by the name of a link in .wants alone (systemd.unit(5)), and not every tool makes the same. */
export type InstalledFile = { readonly path: string } & (
  | { readonly link: string; readonly anyTarget?: true }
  | { readonly content: string | Buffer; readonly mode: number; readonly onlyIfMissing?: true }
);

/** Everything that install lays beside the executable itself, in order. */
export const layout: readonly InstalledFile[] = [
  ...hookNames.map((name) => ({ path: `${BIN}/${name}`, link: 'heal-node' })),
  { path: '/usr/local/bin/heal-node', link: EXECUTABLE },
  { path: SETTINGS_FILE, content: settingsText, mode: 0o600, onlyIfMissing: true },
  { path: `${UNIT_DIR}/${HEAL_UNIT}`, content: unitText, mode: 0o644 },
  { path: `${UNIT_DIR}/etcd.service.d/${GATE_DROP_IN}`, content: gateText, mode: 0o644 },
  { path: `${UNIT_DIR}/multi-user.target.wants/${HEAL_UNIT}`, link: `../${HEAL_UNIT}`, anyTarget: true },
];

/** Where the Debian package has the same: it may lay nothing in /usr/local, and what is in /etc is a person's (Debian Policy 9.1.2, 10.7). */
export const packagedPath = (path: string): string =>
  path.replace(UNIT_DIR, '/usr/lib/systemd/system').replace('/usr/local/bin', '/usr/bin');

/** What to change in the app's `cluster.json`. */
export const clusterJson = {
  health_check: { check_cmd: `${BIN}/health-check`, action_cmd: `${BIN}/health-action` },
  services: { start: { cmd: `${BIN}/start` }, stop: { cmd: `${BIN}/stop` } },
};
