/** `npm run verbs`: the table of the app's verbs and what they meet, told on real machines; see rows.ts. */
import { writeFileSync } from 'node:fs';
import { Bed } from '../bed/bed.ts';
import { machineLogs } from '../bed/machine-logs.ts';
import { sweepLeftovers } from '../bed/sweep.ts';
import { askedRows } from '../kinds/asked-rows.ts';
import { markdownTable, textTable } from '../kinds/table.ts';
import { type Ground, type Kind, type Row, stateText, titleOf } from './row.ts';
import { rows } from './rows.ts';
import { type Told, tellRow } from './tell-row.ts';

const USAGE = `npm run verbs [-- [--only TEXT …] [--markdown FILE]]
  --only TEXT      the rows whose title has the text in it; several of them may be given
  --markdown FILE  write the table there, too
  --list           print the titles of the rows, and tell none`;

interface Line {
  readonly row: Row;
  readonly told: Told | undefined;
  /** What was otherwise than expected; undefined when nothing was. */
  readonly wrong: string | undefined;
}

const HEAD = [
  'verb',
  'under way',
  'on',
  'the verb',
  'seconds',
  'afterwards',
  'seconds to whole',
  'as expected',
] as const;

const seconds = (ms: number | undefined): string => (ms === undefined ? '' : (ms / 1000).toFixed(1));
const cells = ({ row, told, wrong }: Line): string[] => [
  row.verb.name,
  stateText(row.state),
  `etcd${row.on}`,
  told?.ended ?? 'see above',
  seconds(told?.verbMs),
  told?.outcome ?? '',
  seconds(told?.wholeMs),
  wrong === undefined ? 'yes' : 'NO',
];

async function stand({ options, found }: Kind): Promise<Ground> {
  const bed = await Bed.boot({ ...options, tell: console.log });
  try {
    const ground = await found(bed);
    const client = bed.client({ to: ground.nodes, prefix: 'kind/', pauseMs: 0 });
    await client.writes(200).finally(() => client.stop());
    for (const each of ground.nodes) await each.hook('health-action');
    return ground;
  } catch (error) {
    for (const machine of bed.machines) console.log(await machineLogs(machine));
    await bed.down();
    throw error;
  }
}

async function takeDown({ end, bed }: Ground): Promise<void> {
  await end().finally(() => bed.down());
}

async function versionsOf({ nodes: [first] }: Ground): Promise<string> {
  const said = await first?.sh('/opt/etcd/current/etcd --version; systemctl --version');
  const [, etcd, systemd] = /etcd Version: (\S+)[\s\S]*systemd (\d+)/.exec(said ?? '') ?? [];
  return `etcd ${etcd}, systemd ${systemd}`;
}

/** Rows of one kind, in turn on one bed; after one that came out otherwise, on a fresh one. */
async function tellKind(kind: Kind, own: readonly Row[], tell: (line: Line) => void): Promise<string> {
  let ground: Ground | undefined;
  let versions = '';
  try {
    for (const row of own) {
      try {
        ground ??= await stand(kind);
        versions ||= await versionsOf(ground);
        tell({ row, told: await tellRow(row, ground), wrong: undefined });
        continue;
      } catch (error) {
        tell({ row, told: undefined, wrong: (error as Error).message });
        for (const machine of ground?.bed.machines ?? []) console.log(await machineLogs(machine));
      }
      const over = ground;
      ground = undefined;
      if (over !== undefined) await takeDown(over);
    }
  } finally {
    if (ground !== undefined) await takeDown(ground);
  }
  return versions;
}

const asMarkdown = (lines: readonly Line[], versions: string): string =>
  [
    "# The app's verbs, and what they meet",
    '',
    `Told on real machines on ${new Date().toISOString().slice(0, 10)} (${versions}), by \`npm run verbs -- --markdown docs/verbs.md\`,`,
    "with AppCenter's clock at 60 times its speed. *Seconds* is how long the verb took on all the nodes that it is called",
    'on, *seconds to whole* how long it took from its call until every member served on its originals with the same data,',
    'nothing of a heal left. What each row must show besides stands in [testing.md](testing.md).',
    '',
    ...markdownTable(HEAD, lines.map(cells)),
    '',
  ].join('\n');

async function main(): Promise<number> {
  const found = askedRows(USAGE, rows, titleOf);
  if (typeof found === 'number') return found;
  const { asked, markdown } = found;
  await sweepLeftovers();
  const lines: Line[] = [];
  const tell = (line: Line): void => {
    lines.push(line);
    const why = line.wrong === undefined ? '' : `: ${line.wrong.replaceAll(/\s+/g, ' ')}`;
    console.log(`${cells(line).join(' | ')}${why}`);
  };
  let versions = '';
  for (const kind of new Set(asked.map((row) => row.kind)))
    versions = await tellKind(
      kind,
      asked.filter((row) => row.kind === kind),
      tell,
    );
  console.log(`\n${textTable(HEAD, lines.map(cells))}`);
  const wrong = lines.filter((line) => line.wrong !== undefined).length;
  if (markdown) writeFileSync(markdown, asMarkdown(lines, versions));
  console.log(`\n${lines.length - wrong} as expected, ${wrong} otherwise`);
  return wrong === 0 ? 0 : 1;
}

process.exit(await main());
