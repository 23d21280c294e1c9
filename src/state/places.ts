import type { Settings } from '../settings/settings-table.ts';

/** Root's own: originals while swapped, the request for a heal, the outcome of the last one. */
const ROOT_STATE_DIR = '/var/lib/heal-node';
/** Root's own, in memory: gone with the power, and when a heal is over. */
export const RUN_DIR = '/run/heal-node';
/** A heal starts etcd on its original unit: the gate is not asked this once (src/install/gate.conf). */
export const RESTORED = `${RUN_DIR}/restored`;
export const LOG_FILE = '/var/log/heal-node/heal-node.log';
export const DEEP_CHECK_FILE = `${ROOT_STATE_DIR}/deep-check.json`;
export const UNIT_DIR = '/etc/systemd/system';
export const HEAL_UNIT = 'heal-node.service';
/** The drop-in of etcd's unit that asks the gate. */
export const GATE_DROP_IN = '10-heal-node-gate.conf';
export const EXECUTABLE = '/opt/heal-node/bin/heal-node';

/** `etcd.service` → `etcd1.service`: the name of the copy, as the runbook calls it. */
const copyName = (name: string): string => name.replace(/(\.[^./]+)?$/, '1$1');

/** Every path and unit name that a heal deals with, from the settings. */
export function places(settings: Settings) {
  const unit = settings.etcdUnit;
  const copyUnit = copyName(unit);
  return {
    unit,
    copyUnit,
    unitFile: `${UNIT_DIR}/${unit}`,
    copyUnitFile: `${UNIT_DIR}/${copyUnit}`,
    copyDropIns: `${UNIT_DIR}/${copyUnit}.d`,
    env: settings.etcdEnv,
    copyEnv: copyName(settings.etcdEnv),
    appEnv: settings.appEnv,
    originalUnit: `${ROOT_STATE_DIR}/originals/${unit}`,
    originalRights: `${ROOT_STATE_DIR}/originals/rights.json`,
    originals: `${ROOT_STATE_DIR}/originals`,
    restored: RESTORED,
    request: `${ROOT_STATE_DIR}/request.json`,
    outcome: `${ROOT_STATE_DIR}/outcome.json`,
    deepCheck: DEEP_CHECK_FILE,
    metrics: `${ROOT_STATE_DIR}/heal-node.prom`,
    /** The client's certificate of the metadata service; and what another node offers, until it is checked. */
    client: `${RUN_DIR}/client`,
    offered: `${RUN_DIR}/offered`,
    parked: `${ROOT_STATE_DIR}/parked`,
    paused: `${ROOT_STATE_DIR}/paused.json`,
    adopted: `${ROOT_STATE_DIR}/adopted.json`,
    foreign: `${ROOT_STATE_DIR}/foreign.json`,
    rootDiskMark: `${ROOT_STATE_DIR}/member`,
    stateDir: settings.stateDir,
    journal: `${settings.stateDir}/journal.json`,
    history: `${settings.stateDir}/history`,
    aside: `${settings.stateDir}/aside`,
    dataDiskMark: `${settings.stateDir}/member`,
  } as const;
}

export type Places = ReturnType<typeof places>;
