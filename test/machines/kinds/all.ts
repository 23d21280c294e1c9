/** `npm run kinds`: the table of kinds of clusters and failures, told on real machines; see rows.ts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Bed } from '../bed/bed.ts';
import { machineLogs } from '../bed/machine-logs.ts';
import { createCluster } from '../bed/scenario.ts';
import { sweepLeftovers } from '../bed/sweep.ts';
import { askedRows } from './asked-rows.ts';
import { type Founded, type Ground, type Kind, type Row, titleOf } from './row.ts';
import { rows } from './rows.ts';
import { asMarkdown, asText, type Line, oneLine } from './table.ts';
import { tellRow } from './tell-row.ts';

/** Enough that there is something to damage, and few enough for members that are far from each other. */
const WRITES = 60;

const USAGE = `npm run kinds [-- [--only TEXT …] [--markdown FILE]]
  --only TEXT      the rows whose title has the text in it; several of them may be given
  --markdown FILE  write the rows that are told into the table there, too
  --list           print the titles of the rows, and tell none`;

const createdByTheApp = async (bed: Bed): Promise<Founded> => {
  await createCluster(bed);
  return {};
};

/** A cluster of a kind, as old as one is that AppCenter has looked at, with something written in it. */
async function stand({
  options,
  found = createdByTheApp,
}: Kind): Promise<Ground & { end: () => Promise<void> }> {
  const bed = await Bed.boot({ ...options, tell: console.log });
  try {
    const { members = bed.machines, learners = [], end } = await found(bed);
    const client = bed.client({ to: members, prefix: 'kind/', pauseMs: 0 });
    await client.writes(WRITES).finally(() => client.stop());
    for (const each of members) await each.hook('health-action');
    const down = async (): Promise<void> => {
      await end?.();
      await bed.down();
    };
    return { bed, members, listed: members.length + learners.length, end: down };
  } catch (error) {
    for (const machine of bed.machines) console.log(await machineLogs(machine));
    await bed.down();
    throw error;
  }
}

async function versionsOf({ members: [first] }: Ground): Promise<string> {
  const said = await first?.sh('/opt/etcd/current/etcd --version; systemctl --version');
  const [, etcd, systemd] = /etcd Version: (\S+)[\s\S]*systemd (\d+)/.exec(said ?? '') ?? [];
  return `${etcd}, ${systemd}`;
}

/** Rows of one kind, in turn on one bed; after one that came out otherwise, on a fresh one. */
async function tellKind(kind: Kind, own: readonly Row[], tell: (line: Line) => void): Promise<void> {
  let ground: Awaited<ReturnType<typeof stand>> | undefined;
  let versions = '';
  try {
    for (const row of own) {
      try {
        ground ??= await stand(kind);
        versions = await versionsOf(ground);
        tell({ row, versions, wrong: undefined, ...(await tellRow(row, ground)) });
        if (row.expects.is !== 'refused' || row.expects.tidy) continue;
      } catch (error) {
        tell({ row, versions, outcome: 'see above', tookMs: 0, wrong: (error as Error).message });
        for (const machine of ground?.bed.machines ?? []) console.log(await machineLogs(machine));
      }
      const over = ground;
      ground = undefined;
      await over?.end();
    }
  } finally {
    await ground?.end();
  }
}

async function main(): Promise<number> {
  const found = askedRows(USAGE, rows, titleOf);
  if (typeof found === 'number') return found;
  const { asked, markdown } = found;
  await sweepLeftovers();
  const lines: Line[] = [];
  const tell = (line: Line): void => {
    lines.push(line);
    console.log(oneLine(line));
  };
  for (const kind of new Set(asked.map((row) => row.kind)))
    await tellKind(
      kind,
      asked.filter((row) => row.kind === kind),
      tell,
    );
  console.log(`\n${asText(lines)}`);
  const wrong = lines.filter((line) => line.wrong !== undefined).length;
  if (markdown) {
    const before = existsSync(markdown) ? readFileSync(markdown, 'utf8') : '';
    writeFileSync(markdown, asMarkdown(lines, rows, new Date().toISOString().slice(0, 10), before));
  }
  console.log(`\n${lines.length - wrong} as expected, ${wrong} otherwise`);
  return wrong === 0 ? 0 : 1;
}

process.exit(await main());
