/**
 * Member after member goes stale and heals, under clients that write and watch all the time; beside it, some heals
 * by the bare runbook. No acknowledged write is lost, no watcher misses one, and nothing is left behind.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { goStale } from '../bed/breakage.ts';
import { bedScript } from '../bed/in-lan.ts';
import type { TestMachine } from '../bed/machine.ts';
import { runBareRunbook } from '../bed/runbook.ts';
import { endedHealed, scenario } from '../bed/scenario.ts';
import { sleep, until } from '../bed/sh.ts';
import { hashes, keysOn, memberList, originals, traces } from '../bed/world.ts';

const WRITERS = 4;
const WATCHERS = 4;
/** `member add` is refused for 5 s after any member has started (etcdserver/server.go, HealthInterval). */
const SETTLE_MS = 5500;

const image = (dir: string): void =>
  writeFileSync(join(dir, 'opt/app/conf/heal-node.env'), 'HEAL_MAX_PER_DAY=100\nHEAL_AT_BOOT=off\n', {
    mode: 0o600,
  });

/** What may be left behind, as one text: units, files but those that are meant to stay, mounts, processes. */
const inventory = (machine: TestMachine): Promise<string> =>
  machine.sh(
    // Its own pipes are not there yet when it looks for processes.
    'names=$(ps -eo comm=); echo "$names" | sort | uniq -c; ' +
      'systemctl list-units --all --plain --no-legend | cut -d" " -f1 | grep -v -e "^session-" -e "^run-" | sort; ' +
      'find /etc /opt /usr/local /var/lib/heal-node /var/lib/etcd -xdev 2>/dev/null | ' +
      'grep -v -e "/heal-node/history" -e "/heal-node/aside" -e "/member/" -e "outcome.json" -e "deep-check.json" -e "heal-node.prom" | sort; ' +
      'cut -d" " -f2 /proc/mounts | sort',
  );

/** Resident memory of all processes but etcd, in KiB. */
const memory = async (machine: TestMachine): Promise<number> =>
  Number(await machine.sh('ps -eo rss=,comm= | awk \'$2 != "etcd" { sum += $1 } END { print sum }\''));

export function healsUnderLoad(count: number): void {
  scenario(`${count} heals in a row, under load`, { image }, async (stage) => {
    const { bed, machines, machine } = stage;
    const endpoints = machines.map(({ endpoint }) => endpoint);
    for (const each of machines) await each.hook('health-check');
    const before = await Promise.all(machines.map(inventory));
    const memoryBeforeKb = await memory(machine(1));
    const units = await Promise.all(machines.map(originals));
    const writers = Array.from({ length: WRITERS }, (_, i) => bed.client({ prefix: `w${i}/`, pauseMs: 40 }));
    const told = Array.from({ length: WATCHERS }, () => new Set<string>());
    const watchers = told.map((keys, i) =>
      bed.inLan(bedScript('watcher.ts'), [`w${i % WRITERS}/`, ...endpoints.slice(i % 3)], (key) =>
        keys.add(key),
      ),
    );
    const pauses = { none: [] as number[], runbook: [] as number[], heal: [] as number[] };
    const healMs: number[] = [];
    const runbooks = Math.max(3, Math.floor(count / 8));
    const every = Math.floor((count + runbooks) / runbooks);
    const longest = (): number => Math.max(...writers.map((writer) => writer.takeLongestPause()));
    try {
      for (const writer of writers) await writer.writes(20);
      for (let n = 0; n < count + runbooks; n++) {
        const bad = machine((n % 3) + 1);
        longest();
        await sleep(SETTLE_MS);
        pauses.none.push(longest());
        await goStale(bad, 'wal-garbled');
        longest();
        if (n % every === 0 && pauses.runbook.length < runbooks) {
          await runBareRunbook(bed, bad);
          pauses.runbook.push(longest());
        } else {
          const beganMs = Date.now();
          await endedHealed(bad, await bad.hook('health-action'));
          healMs.push(Date.now() - beganMs);
          pauses.heal.push(longest());
        }
      }
      for (const writer of writers) await writer.writes(20);
    } finally {
      for (const writer of writers) await writer.stop();
    }
    try {
      for (const [i, keys] of told.entries()) {
        const written = writers[i % WRITERS]?.acknowledged ?? [];
        await until(`watcher ${i} was told of all ${written.length}`, async () =>
          written.every((key) => keys.has(key)),
        );
      }
    } finally {
      for (const watcher of watchers) watcher.kill('SIGKILL');
      await Promise.all(watchers);
    }
    for (const [i, writer] of writers.entries())
      for (const each of machines) {
        const keys = await keysOn(bed, each, `w${i}/`);
        assert.equal(
          writer.acknowledged.filter((key) => !keys.has(key)),
          [],
          `every acknowledged write is on ${each.name}`,
        );
      }
    assert.is(new Set(await hashes(bed, machines)).size, 1, 'the data are equal on all members');
    assert.is((await memberList(bed, machine(1))).length, machines.length);

    // Locks are given back, or run out within a minute.
    const ours = async () => [...(await keysOn(bed, machine(1), 'heal-node/'))].sort();
    await until('no lock is left', async () => (await ours()).join() === 'heal-node/birthmark', 90_000, 1000);
    await until(
      'no lease is left',
      async () => /found 0 leases/.test(await bed.etcdctl([machine(1).endpoint], 'lease', 'list')),
      180_000,
      1000,
    );
    assert.equal(await Promise.all(machines.map(originals)), units);
    for (const [i, each] of machines.entries()) {
      assert.is(await traces(each), '');
      const [was, is] = [before[i]?.split('\n') ?? [], (await inventory(each)).split('\n')];
      assert.equal(
        is.filter((line) => !was.includes(line)),
        [],
        `nothing new is left on ${each.name}`,
      );
    }
    const sizes = await machine(1).sh(
      'ls /var/lib/etcd/heal-node/aside | wc -l; du -sk /var/lib/etcd/heal-node | cut -f1; du -sk /var/log/heal-node | cut -f1',
    );
    const [aside, stateKb, logKb] = sizes.split('\n').map(Number);
    assert.is(aside, 1, 'one data dir is kept aside');
    assert.ok((logKb ?? 0) < 20_000);
    const memoryKb = await memory(machine(1));
    assert.ok(memoryKb < memoryBeforeKb + 100_000, `${memoryKb} KiB of memory, before ${memoryBeforeKb}`);
    const middle = (values: number[]): number =>
      [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const writes = writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const pause = (values: number[]): string => `${Math.max(...values)} ms (median ${middle(values)})`;
    console.log(
      `${count} heals under ${WRITERS} writers and ${WATCHERS} watchers: median ${middle(healMs)} ms, longest ${Math.max(...healMs)} ms; ` +
        `${writes} writes acknowledged, 0 lost, 0 missed by watchers; longest pause of a writer in a heal ${pause(pauses.heal)}, ` +
        `in one of ${runbooks} bare runbooks ${pause(pauses.runbook)}, in ${SETTLE_MS / 1000} s without either ${pause(pauses.none)}; ` +
        `left behind: nothing; on a node ${stateKb} KiB of state, ${logKb} KiB of log, ${memoryKb} KiB of memory outside etcd, before ${memoryBeforeKb}`,
    );
  });
}
