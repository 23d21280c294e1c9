/**
 * `npm run look`: a real heal, and then a quorum that is lost and brought back by what the report says, on real machines;
 * both reports in a real browser (Debian's chromium, installed where it is missing). What comes of it is in dist/look:
 * HTML, Markdown, JSON, pictures, and how they print.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Bed } from '../bed/bed.ts';
import { breakDisk } from '../bed/breakage.ts';
import type { TestMachine } from '../bed/machine.ts';
import { createCluster, healed, type Stage } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { expectAllWrites } from '../scenarios/stories.ts';
import { installBrowser, layoutOf, pictures, titleAfterScript } from './browser.ts';

const OUT = join(import.meta.dirname, '../../../dist/look');

/** Writes a report of a machine in every format. @returns the place of the HTML */
async function reportOf(machine: TestMachine, name: string, ...words: readonly string[]): Promise<string> {
  for (const [ending, ...flags] of [['html'], ['md', '--md'], ['json', '--json']]) {
    const { stdout, stderr, code } = await machine.cli('report', ...words, ...flags);
    assert.is(code, 0, stderr);
    writeFileSync(join(OUT, `${name}.${ending}`), stdout);
  }
  return join(OUT, `${name}.html`);
}

/** What nobody has to look at to see that it is wrong. */
async function mustLookWell(path: string, headings: readonly string[], drawn: number): Promise<void> {
  for (const width of [1000, 420]) {
    const layout = await layoutOf(path, width);
    assert.ok(layout.tooWide <= 0, `${layout.tooWide} pixels wider than ${width}`);
    assert.equal(layout.overlaps, [], `labels overlap at ${width}`);
    assert.equal(layout.small, [], `labels cannot be read at ${width}`);
    assert.is(layout.drawn, drawn, 'bars and marks');
    const missing = headings.filter((each) => !layout.headings.includes(each));
    assert.equal(missing, [], layout.headings.join(', '));
    if (width === 1000) await pictures(path, layout.height);
  }
  assert.is.not(await titleAfterScript(path), 'ran', 'the page lets nothing run');
}

/** The commands of a step of what a person does without a quorum. */
const commandsOf = (
  { recovery }: { recovery: { steps: { commands: string[] }[] } },
  step: number,
): string[] => recovery.steps[step - 1]?.commands ?? [];

/** Does on a machine what it says there, in one shell. */
async function types(machine: TestMachine, commands: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await machine.run('sh', '-c', commands.join('\n'));
  console.log(`${machine.name}$ ${commands.join(`\n${machine.name}$ `)}\n${stdout}`);
  assert.is(code, 0, stderr);
}

async function story({ bed, machine, machines }: Pick<Stage, 'bed' | 'machine' | 'machines'>): Promise<void> {
  const [first, bad, third] = [machine(1), machine(2), machine(3)];
  const client = bed.client();
  await client.writes(100);
  // etcd takes no new member in the first five seconds after any has started (etcdserver/server.go, HealthInterval).
  await sleep(6000);
  await bad.powerOff();
  await breakDisk(bad, 'wal-damaged');
  await client.writes(50);
  await bad.powerOn(false);
  await until(
    `the health action heals ${bad.name}`,
    async () => (await bad.hook('health-action')).stdout.includes('Healed'),
    180_000,
  );
  await healed(bad);
  await client.writes(20);
  await client.stop();
  console.log(`The longest pause that a client saw: ${client.longestPauseMs} ms.`);
  const heal = await reportOf(bad, 'heal');
  const { incident } = await bad.cliJson('report');
  const marks =
    incident.events.length + incident.steps.length + incident.whole.length + incident.shorter.length;
  await mustLookWell(
    heal,
    [
      'Summary',
      'Impact',
      'Timeline',
      'What was seen, and when',
      'Member list',
      'Steps',
      'Commands',
      'Actions',
      'Log',
    ],
    marks,
  );

  // The others are given up. Their machines are up: of those that are silent nobody is told how to go on without them.
  for (const other of [first, third]) await other.hook('stop');
  await until(
    'the quorum is lost',
    async () => (await bad.cliJson('diagnose')).verdict === 'quorum-lost',
    180_000,
  );
  await mustLookWell(
    await reportOf(bad, 'quorum-lost', 'now'),
    ['Without a quorum: what a person does, in this order'],
    0,
  );
  const said = await bad.cliJson('report', 'now');
  await types(bad, commandsOf(said, 4).slice(-2));
  await types(bad, commandsOf(said, 6));
  for (const other of [first, third]) {
    await until(
      `${other.name} is diagnosed`,
      async () => (await other.cliJson('diagnose')).verdict === 'stale',
      180_000,
    );
    await types(other, commandsOf(said, 7).slice(-1));
  }
  for (const each of machines) assert.is((await each.cliJson('status')).verdict, 'healthy', each.name);
  await expectAllWrites(bed, machines, client);
}

test('the reports of a heal and of a lost quorum look well, and what they say brings the cluster back', async () => {
  mkdirSync(OUT, { recursive: true });
  await installBrowser();
  const bed = await Bed.boot({});
  try {
    await createCluster(bed);
    await story({ bed, machines: bed.machines, machine: (sid) => bed.machine(sid) });
  } finally {
    await bed.down();
  }
  console.log(`All of it is in ${OUT}.`);
});

test.run();
