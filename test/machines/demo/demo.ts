/**
 * The main job, live: three real machines, one loses its power and its data, AppCenter calls the hooks, and the
 * member comes back. `npm run demo -- [--members 5] [--break MODE] [--keep]`.
 */
import { parseArgs } from 'node:util';
import { healSteps } from '../../../src/plan/heal-steps.ts';
import { tailOf } from '../../../src/report/read-log.ts';
import { AppCenter, INTERVAL_MS, UNHEALTHY_THRESHOLD } from '../bed/appcenter.ts';
import { Bed } from '../bed/bed.ts';
import { BREAKAGES, type Breakage, breakMember } from '../bed/breakage.ts';
import type { Client } from '../bed/client.ts';
import { whyNoMachines } from '../bed/host.ts';
import { createCluster } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { hashes, keysOn, memberList, originals } from '../bed/world.ts';
import { dim, head, say } from './lines.ts';

const USAGE = `usage: npm run demo -- [--members 3|5] [--break ${BREAKAGES.join('|')}] [--keep]`;
const SPEEDUP = 30;

function options(): { members: 3 | 5; how: Breakage; keep: boolean } {
  const { values } = parseArgs({
    options: { members: { type: 'string' }, break: { type: 'string' }, keep: { type: 'boolean' } },
  });
  const { members = '3', break: how = 'data-gone', keep = false } = values;
  if (members !== '3' && members !== '5')
    throw new Error(`--members ${members} is not allowed; allowed are 3 and 5.`);
  if (!BREAKAGES.some((name) => name === how)) {
    throw new Error(`--break ${how} is not allowed; allowed are ${BREAKAGES.join(', ')}.`);
  }
  return { members: members === '3' ? 3 : 5, how: how as Breakage, keep };
}

/** What AppCenter alone would have taken to call its action, from power on: as its first check comes soon or late. */
const calledAfterSec = [UNHEALTHY_THRESHOLD - 1, UNHEALTHY_THRESHOLD].map((n) => (n * INTERVAL_MS) / 1000);

/** A log line of heal-node as the demo shows it, with what a person would have typed. */
function tellLogLine(line: string, beganMs: number, values: Readonly<Record<string, string>>): void {
  const { event, msg, step, durationMs, caller, time, verdict } = JSON.parse(line) as Record<string, string>;
  const at = `${((Date.parse(time ?? '') - beganMs) / 1000).toFixed(2).padStart(6)} s`;
  if (event === 'verdict' && (caller === 'health-action' || verdict === 'stale'))
    say(`${at}  heal-node finds: ${msg}`);
  if (event === 'asked-again' || event === 'refused' || event === 'failed') say(`${at}  ${msg}`);
  if (event !== 'step-done') return;
  say(`${at}  ${msg} ${dim(`[${durationMs} ms]`)}`);
  const typed = healSteps
    .find(({ id }) => id === step)
    ?.typed.replace(/\$(\w+)/g, (all, name) => values[name] ?? all);
  say(
    dim(
      `          a person would have typed (runbook step ${healSteps.find(({ id }) => id === step)?.runbookStep}): ${typed}`,
    ),
  );
}

async function main(): Promise<number> {
  const { members, how, keep } = options();
  const why = whyNoMachines();
  if (why !== undefined) {
    console.error(`The demo cannot make its machines. ${why}`);
    return 2;
  }
  const bed = await Bed.boot({ members, tell: say });
  let client: Client | undefined;
  let platform: AppCenter | undefined;
  try {
    const bad = bed.machine(2);
    head(`${members} machines, each with its own systemd and network, and etcd on them`);
    await createCluster(bed);
    const before = await memberList(bed, bed.machine(1));
    for (const { id, name, peerUrl } of before) say(`  ${id}  ${name}  ${peerUrl}`);
    const unitBefore = await originals(bad);
    client = bed.client();
    await client.writes(200);
    // etcd takes no new member in the first five seconds after any has started (etcdserver/server.go, HealthInterval).
    await sleep(6000);
    say('A client writes all the time, to all of them.');

    head(`${bad.name}'s host dies, and its VM comes back on another one (${how})`);
    await bad.powerOff();
    say(`${bad.name} is without power.`);
    await breakMember(bed, bad, how);
    await client.writes(200);
    say('The others go on serving; one more failure, and the cluster would stop.');
    const tail = tailOf(bad.onRootDisk('/var/log/heal-node/heal-node.log'));
    const beganMs = Date.now();
    await bad.powerOn(false);
    say(`${bad.name} has power again.`);

    head(
      `What heal-node does, by the time since power, and what AppCenter sees (its clock runs ${SPEEDUP} times as fast)`,
    );
    const at = (ms: number) => `${((ms - beganMs) / 1000).toFixed(2).padStart(6)} s`;
    const config = {
      name: bad.name,
      peerUrls: `http://${bad.ip}:2380`,
      dataDir: '/var/lib/etcd/default.etcd',
      oldMemberId: before.find(({ name }) => name === bad.name)?.id ?? '',
    };
    let healthy = 0;
    let refused = false;
    const show = () => {
      for (const line of tail()) {
        // systemd tries again, and is refused again, until the heal has moved the unit aside.
        if (line.includes('"event":"gate-refused"')) {
          if (!refused)
            say(`${at(Date.parse(JSON.parse(line).time))}  etcd is not started: ${JSON.parse(line).msg}`);
          refused = true;
        }
        tellLogLine(line, beganMs, config);
      }
    };
    platform = new AppCenter(bed.machines, {
      speedup: SPEEDUP,
      onEvent: ({ machine, kind, code, output, atMs, tookMs }) => {
        if (machine !== bad) return;
        show();
        if (kind === 'check' && code === 0) healthy++;
        const result = code === 0 ? 'healthy' : `exit ${code}: ${output}`;
        if (kind === 'check')
          say(`${at(atMs)}  AppCenter checks ${bad.name}: ${result} ${dim(`[${tookMs} ms]`)}`);
        else
          say(
            `${at(atMs + tookMs)}  AppCenter's health action has ended: exit ${code} ${dim(`[${tookMs} ms]`)}`,
          );
      },
    });
    await until(
      `AppCenter sees ${bad.name} healthy twice`,
      async () => {
        show();
        return healthy >= 2;
      },
      180_000,
    );
    const totalMs = Date.now() - beganMs;
    await platform.stop();
    await client.writes(100);
    await client.stop();

    head('Before and after');
    const after = await memberList(bed, bed.machine(1));
    for (const { id, name, peerUrl } of before) {
      const now = after.find((member) => member.name === name);
      say(`  ${name}  ${peerUrl}  ${id} → ${now?.id ?? 'not listed'}${now?.id === id ? '' : '  (replaced)'}`);
    }
    const keys = await Promise.all(bed.machines.map((machine) => keysOn(bed, machine, 'w/')));
    const lost = client.acknowledged.filter((key) => !keys.every((set) => set.has(key)));
    const equal = new Set(await hashes(bed, bed.machines)).size === 1;
    const same = (await originals(bad)) === unitBefore;
    say(
      `Writes acknowledged: ${client.acknowledged.length}; lost: ${lost.length}. Longest pause a client saw: ${client.longestPauseMs} ms.`,
    );
    say(
      `The data are ${equal ? 'equal' : 'NOT equal'} on all members; unit and environment of ${bad.name} are ${same ? 'the originals, byte for byte' : 'NOT the originals'}.`,
    );
    const { heals } = JSON.parse((await bad.cli('history', '--json')).stdout) as {
      heals: { by: string; startedAt: string; endedAt: string; outcome: string }[];
    };
    const heal = heals.at(-1);
    const healMs = heal ? Date.parse(heal.endedAt) - Date.parse(heal.startedAt) : Number.NaN;
    say(
      `From power to healthy twice in AppCenter's eyes: ${(totalMs / 1000).toFixed(1)} s, of which the heal took ${(healMs / 1000).toFixed(2)} s.`,
    );
    if (heal?.by === 'gate')
      say(
        `From power to healed on the originals: ${((Date.parse(heal.endedAt) - beganMs) / 1000).toFixed(1)} s, at boot, AppCenter not having called. Its action comes with the second failed check, a minute after the first: ${calledAfterSec.join(' to ')} s from power, and then the heal.`,
      );
    const good = lost.length === 0 && equal && same && heal?.outcome === 'healed';
    say(good ? 'Nobody touched anything.' : 'Something is not as it should be: see above.');
    if (keep) {
      await bed.leave();
      say(
        `The machines stay up. Enter one with: nsenter -t $(cat ${bad.pidFile}) -a; try \`heal-node status\`.`,
      );
      say('The next demo or test run takes them down.');
    }
    return good ? 0 : 1;
  } finally {
    await platform?.stop();
    await client?.stop();
    if (!keep) await bed.down();
  }
}

main().then(
  async (code) => {
    await sleep(0);
    process.exit(code);
  },
  (error: Error) => {
    const usage = error.message.startsWith('--') || 'code' in error;
    console.error(usage ? `${error.message}\n${USAGE}` : `The demo failed: ${error.message}`);
    process.exit(usage ? 2 : 1);
  },
);
