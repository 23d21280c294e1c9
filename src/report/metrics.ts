import { diagnose } from '../diagnose/diagnose.ts';
import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import type { Situation } from '../diagnose/situation.ts';
import { verdicts } from '../diagnose/verdicts.ts';
import type { Machine } from '../machine/machine.ts';
import type { FileRights } from '../machine/os/held-dir.ts';
import { deepCheckFile } from '../state/deep-check-file.ts';
import { history } from '../state/heal-record.ts';
import type { Places } from '../state/places.ts';

/** One gauge in Prometheus' exposition format; its values by their labels, or the only one. */
function gauge(name: string, help: string, values: number | Readonly<Record<string, number>>): string {
  const rows =
    typeof values === 'number'
      ? [`${name} ${values}`]
      : Object.entries(values).map(([label, value]) => `${name}{${label}} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...rows, ''].join('\n');
}

/** What heal-node knows, for node_exporter's textfile collector. */
export async function metricsText(machine: Machine, places: Places, situation: Situation): Promise<string> {
  const { verdict } = diagnose(situation);
  const heals = await history(machine, places);
  const deep = await deepCheckFile.read(machine, places.deepCheck);
  const outcomes = ['healed', 'failed', 'refused'].map((outcome) => [
    `outcome="${outcome}"`,
    heals.filter((heal) => heal.outcome === outcome).length,
  ]);
  return [
    gauge(
      'heal_node_verdict',
      'The verdict of the last look at this member: 1 for the one that holds.',
      Object.fromEntries(Object.keys(verdicts).map((id) => [`verdict="${id}"`, id === verdict ? 1 : 0])),
    ),
    gauge(
      'heal_node_failure_tolerance',
      'How many more members may fail before the cluster has no quorum; below 0 where it has none, NaN where nobody says.',
      failureTolerance(situation) ?? Number.NaN,
    ),
    gauge(
      'heal_node_credentials_refused',
      'Whether the cluster asks for credentials, and those of the settings are missing or refused: no heal could be done.',
      situation.cluster.credentialsRefused === '' ? 0 : 1,
    ),
    gauge('heal_node_paused', 'Whether heals are paused, here or in the cluster.', situation.paused ? 1 : 0),
    gauge('heal_node_heals', 'Heals in the history of this node, by outcome.', Object.fromEntries(outcomes)),
    gauge(
      'heal_node_diverged',
      'Whether the data of this member alone differed from those of all others when they were last compared.',
      deep?.state === 'differs' ? 1 : 0,
    ),
    gauge(
      'heal_node_comparison_seconds',
      'For how long all members together hashed their data for the last comparison.',
      (deep?.comparison?.sumMs ?? 0) / 1000,
    ),
    gauge(
      'heal_node_deep_check_timestamp_seconds',
      'When this member was last compared with the others.',
      (deep?.atMs ?? 0) / 1000,
    ),
  ].join('');
}

const FOR_ALL_TO_READ: FileRights = { mode: 0o644, uid: 0, gid: 0 };

export const writeMetrics = async (machine: Machine, places: Places, situation: Situation): Promise<void> =>
  machine.writeFile(places.metrics, await metricsText(machine, places, situation), FOR_ALL_TO_READ);
