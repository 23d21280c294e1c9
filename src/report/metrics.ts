import { version } from '../../package.json';
import { diagnose } from '../diagnose/diagnose.ts';
import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import type { Situation } from '../diagnose/situation.ts';
import { verdicts } from '../diagnose/verdicts.ts';
import { ownClient } from '../machine/etcd/etcd-config.ts';
import type { Machine } from '../machine/machine.ts';
import { endsMs } from '../machine/os/certificates.ts';
import type { FileRights } from '../machine/os/held-dir.ts';
import { healSteps } from '../plan/heal-steps.ts';
import { deepCheckFile, differs } from '../state/deep-check-file.ts';
import { healRecordFile } from '../state/heal-record.ts';
import { outcomeFile } from '../state/outcome.ts';
import type { Places } from '../state/places.ts';
import table from './metrics.json';

/** When each certificate ends that etcd or its client uses, by the setting that names it, in seconds since 1970. */
async function certificateEnds(machine: Machine, { config }: Situation) {
  const text = async (path: string) => (await machine.readFile(path).catch(() => undefined))?.text ?? '';
  const ends = (config ? [...config.certificates, ...ownClient(config)] : []).map(
    async ({ setting, cert, ca }) => [setting, endsMs(await text(cert), await text(ca)) / 1000] as const,
  );
  return Object.fromEntries(await Promise.all(ends));
}

/** The only value, or all of them by that of the label that tells them apart. */
type Values = number | Readonly<Record<string, number>>;

/** 1 for the one of all that holds. */
const states = (all: readonly string[], holds: string | undefined): Values =>
  Object.fromEntries(all.map((each) => [each, each === holds ? 1 : 0]));

const stepIds = healSteps.map(({ id }) => id);

/** The value of every metric of the table, from one look and from what heal-node has written down. */
async function valuesOf(machine: Machine, places: Places, situation: Situation) {
  const deep = await deepCheckFile.read(machine, places.deepCheck);
  const heal = await healRecordFile.read(machine, places.journal);
  const runs = (await outcomeFile.read(machine, places.outcome))?.runs ?? {};
  const byOutcome = (value: 'count' | 'lastMs', unit: number): Values =>
    Object.fromEntries(['healed', 'failed', 'refused'].map((id) => [id, (runs[id]?.[value] ?? 0) / unit]));
  return {
    heal_node_build_info: { [version]: 1 },
    heal_node_verdict: states(Object.keys(verdicts), diagnose(situation).verdict),
    heal_node_last_look_timestamp_seconds: situation.observed.atMs / 1000,
    heal_node_members: situation.cluster.members.length,
    heal_node_failure_tolerance: failureTolerance(situation) ?? Number.NaN,
    heal_node_paused: situation.paused === undefined ? 0 : 1,
    heal_node_credentials_refused: situation.cluster.credentialsRefused === '' ? 0 : 1,
    heal_node_certificate_expiry_timestamp_seconds: await certificateEnds(machine, situation),
    heal_node_heals_total: byOutcome('count', 1),
    heal_node_last_heal_timestamp_seconds: byOutcome('lastMs', 1000),
    heal_node_unfinished_heal_start_timestamp_seconds: heal ? Date.parse(heal.startedAt) / 1000 : 0,
    heal_node_unfinished_heal_step: states(stepIds, heal?.steps.at(-1)?.id),
    heal_node_diverged: differs(deep) ? 1 : 0,
    heal_node_comparison_duration_seconds: (deep?.comparison?.sumMs ?? 0) / 1000,
    heal_node_comparison_timestamp_seconds: (deep?.atMs ?? 0) / 1000,
  } satisfies Record<keyof typeof table, Values>;
}

/** What heal-node knows, in Prometheus' exposition format, for node_exporter's textfile collector. */
export async function metricsText(machine: Machine, places: Places, situation: Situation): Promise<string> {
  const values: Readonly<Record<string, Values>> = await valuesOf(machine, places, situation);
  const rows = (name: string, label: string, value: Values = {}): string =>
    typeof value === 'number'
      ? `${name} ${value}\n`
      : Object.entries(value).reduce((all, [id, each]) => `${all}${name}{${label}="${id}"} ${each}\n`, '');
  const text = Object.entries(table).map(([name, { help, type, label }]) => {
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${rows(name, label, values[name])}`;
  });
  return text.join('');
}

/** node_exporter is not root. */
const FOR_ALL_TO_READ: FileRights = { mode: 0o644, uid: 0, gid: 0 };

export const writeMetrics = async (machine: Machine, places: Places, situation: Situation): Promise<void> =>
  machine.writeFile(places.metrics, await metricsText(machine, places, situation), FOR_ALL_TO_READ);
