import Mustache from 'mustache';
import { APP_CTL } from '../appcenter/ctl.ts';
import { hookNames } from '../appcenter/own-command.ts';
import { SETTINGS_FILE } from '../settings/parse-settings.ts';
import { settingRows } from '../settings/setting-rows.ts';
import { EXECUTABLE, GATE_DROP_IN, HEAL_UNIT, RESTORED, UNIT_DIR } from '../state/places.ts';
import gateTemplate from './gate.conf' with { type: 'text' };
import settingsTemplate from './heal-node.env.mustache' with { type: 'text' };
import unitTemplate from './heal-node.service' with { type: 'text' };

export const BIN = EXECUTABLE.slice(0, EXECUTABLE.lastIndexOf('/'));

export const GATE_DIR = `${UNIT_DIR}/etcd.service.d`;

/** A template with the paths of this program in it. */
const placed = (template: string): string =>
  template.replaceAll('@EXECUTABLE@', EXECUTABLE).replaceAll('@RESTORED@', RESTORED);

/** Made when it is asked for: the first rendering takes 1.5 ms, of every call of heal-node. */
const settingsText = (): string =>
  Mustache.render(settingsTemplate, { settings: settingRows }, {}, { escape: String });

/** `anyTarget`: systemd goes by the name of a link in .wants alone (systemd.unit(5)), and not every tool makes the same. */
export type InstalledFile = { readonly path: string } & (
  | { readonly link: string; readonly anyTarget?: true }
  | { readonly content: string | Buffer; readonly mode: number; readonly onlyIfMissing?: true }
);

/**
 * Everything that install lays beside the executable itself, in order. The gate is asked before every start of etcd. Only
 * exit 3 keeps etcd down: a gate that is missing, or fails for its own reasons, lets it start. Where a heal starts etcd on
 * the original unit it is the heal that decides: it leaves a mark, which is good for one start and for this boot. A unit
 * that systemd starts again while a heal puts it aside finds none.
 */
export const layout = (): readonly InstalledFile[] => [
  ...hookNames.map((name) => ({ path: `${BIN}/${name}`, link: 'heal-node' })),
  { path: '/usr/local/bin/heal-node', link: EXECUTABLE },
  { path: SETTINGS_FILE, content: settingsText(), mode: 0o600, onlyIfMissing: true },
  { path: `${UNIT_DIR}/${HEAL_UNIT}`, content: placed(unitTemplate), mode: 0o644 },
  { path: `${GATE_DIR}/${GATE_DROP_IN}`, content: placed(gateTemplate), mode: 0o644 },
  { path: `${UNIT_DIR}/multi-user.target.wants/${HEAL_UNIT}`, link: `../${HEAL_UNIT}`, anyTarget: true },
];

/** For a node whose `cluster.json` cannot be changed: the app's script is heal-node, by a link (src/appcenter/ctl.ts). */
export const shim = { path: APP_CTL, link: EXECUTABLE };

/** Where the Debian package has the same: it may lay nothing in /usr/local, and what is in /etc is a person's (Debian Policy 9.1.2, 10.7). */
export const packagedPath = (path: string): string =>
  path.replace(UNIT_DIR, '/usr/lib/systemd/system').replace('/usr/local/bin', '/usr/bin');

/** What to change in the app's `cluster.json`. */
export const clusterJson = {
  health_check: { check_cmd: `${BIN}/health-check`, action_cmd: `${BIN}/health-action` },
  services: { start: { cmd: `${BIN}/start` }, stop: { cmd: `${BIN}/stop` } },
};
