import { type Verdict, verdicts } from '../diagnose/verdicts.ts';
import type { Machine } from '../machine/machine.ts';
import { deepCheckFile } from '../state/deep-check-file.ts';
import { history } from '../state/heal-record.ts';
import type { Places } from '../state/places.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly rows: readonly (readonly [labels: string, value: number])[];
}

/** One text in Prometheus' exposition format. */
const exposition = (metrics: readonly Metric[]): string =>
  metrics
    .flatMap(({ name, help, type, rows }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...rows.map(([labels, value]) => `${name}${labels && `{${labels}}`} ${value}`),
    ])
    .join('\n')
    .concat('\n');

/** What heal-node knows, for node_exporter's textfile collector. */
export async function metricsText(machine: Machine, places: Places, verdict: Verdict): Promise<string> {
  const heals = await history(machine, places);
  const deep = await deepCheckFile.read(machine, places.deepCheck);
  return exposition([
    {
      name: 'heal_node_verdict',
      help: 'The verdict of the last look at this member: 1 for the one that holds.',
      type: 'gauge',
      rows: Object.keys(verdicts).map((each) => [`verdict="${each}"`, each === verdict ? 1 : 0]),
    },
    {
      name: 'heal_node_heals',
      help: 'Heals in the history of this node, by outcome.',
      type: 'gauge',
      rows: ['healed', 'failed', 'refused'].map((outcome) => [
        `outcome="${outcome}"`,
        heals.filter((heal) => heal.outcome === outcome).length,
      ]),
    },
    {
      name: 'heal_node_diverged',
      help: 'Whether the data of this member alone differed from those of all others when they were last compared.',
      type: 'gauge',
      rows: [['', deep?.state === 'differs' ? 1 : 0]],
    },
    {
      name: 'heal_node_comparison_seconds',
      help: 'For how long all members together hashed their data for the last comparison.',
      type: 'gauge',
      rows: [['', (deep?.comparison?.sumMs ?? 0) / 1000]],
    },
    {
      name: 'heal_node_deep_check_timestamp_seconds',
      help: 'When this member was last compared with the others.',
      type: 'gauge',
      rows: [['', (deep?.atMs ?? 0) / 1000]],
    },
  ]);
}

export const writeMetrics = async (machine: Machine, places: Places, verdict: Verdict): Promise<void> =>
  machine.writeFile(places.metrics, await metricsText(machine, places, verdict), {
    mode: 0o644,
    uid: 0,
    gid: 0,
  });
