import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnose } from '../../src/diagnose/diagnose.ts';
import { localFaults } from '../../src/diagnose/local-faults.ts';
import { plainLine } from '../../src/machine/etcd/log-lines.ts';
import type { HostFacts, Observation } from '../../src/observe/observation.ts';
import { wordsOf } from '../../src/words/words.ts';
import {
  asked,
  certificatesGone,
  crashed,
  failedUnit,
  healthy,
  NO_DATA,
  situation,
} from '../fake/observation.ts';
import { recordedLines } from './recorded-lines.ts';

const host = (changes: Partial<HostFacts>): Pick<Observation, 'host'> => ({
  host: { ok: true, value: { ...(healthy.host?.ok ? healthy.host.value : ({} as HostFacts)), ...changes } },
});
const ends = (changes: object): Pick<Observation, 'unit'> => ({
  unit: { ok: true, value: { ...failedUnit(), ...changes } },
});

/** How the machine, or systemd, shows each fault that they can show, and a word of the evidence. */
const shown: Readonly<Record<string, readonly [observed: Partial<Observation>, says: RegExp]>> = {
  'disk-full': [host({ freeBytes: 4096 }), /4096 bytes and \d+ inodes are free/],
  permission: [
    host({ unusable: ['a.pem is root’s'], unusableData: ['/data is root’s'] }),
    /\/data is root’s[\s\S]*a\.pem is root’s/,
  ],
  certificate: [host({ certificateFaults: ['ETCD_CERT_FILE has expired'] }), /has expired/],
  'port-taken': [
    host({ portConflicts: [{ port: 2380, pid: 7, program: 'nc' }] }),
    /process 7 \(nc\) listens on it/,
  ],
  'address-missing': [host({ missingAddresses: ['10.0.0.9'] }), /no interface of this machine has it/],
  'etcd-too-old': [host({ etcdVersion: '3.3.25' }), /its etcd is 3\.3\.25, that of the others at least 3\.4/],
  unit: [ends({ result: 'resources' }), /result resources/],
  killed: [ends({ result: 'oom-kill' }), /result oom-kill/],
};

const reasonOf = (lines: readonly string[], changes: Partial<Observation> = {}) => {
  const { verdict, reason, evidence, advice } = diagnose(situation(crashed(lines, changes)));
  return { verdict, reason, advice, texts: evidence.map(({ text }) => text).join('\n') };
};

for (const [id, { says, shows }] of Object.entries(localFaults)) {
  const { advice } = wordsOf(`local-fault/${id}`);
  const line = says && plainLine(recordedLines[id]?.[0] ?? '');
  const [changes, evidence] = shown[id] ?? [];
  const wanted = { verdict: 'local-fault', reason: `local-fault/${id}`, advice };

  if (line !== undefined)
    test(`local-fault/${id} when etcd's log says so`, () => {
      const { texts, ...found } = reasonOf([line]);
      assert.equal(found, wanted);
      assert.ok(texts.includes(line));
    });

  if (shows !== undefined)
    test(`local-fault/${id} when the machine shows it, and the log is silent`, () => {
      assert.ok(changes && evidence, 'it is shown here');
      const { texts, ...found } = reasonOf([], changes);
      assert.equal(found, wanted);
      assert.match(texts, evidence as RegExp);
    });

  if (line !== undefined && shows !== undefined)
    test(`local-fault/${id} when both do, with both in the evidence`, () => {
      const { texts, ...found } = reasonOf([line], changes);
      assert.equal(found, wanted);
      assert.ok(texts.includes(line));
      assert.match(texts, evidence as RegExp);
    });
}

test('every fault can be told by the log or by the machine', () => {
  const faults = Object.entries(localFaults);
  assert.ok(faults.every(([, { says, shows }]) => says !== undefined || shows !== undefined));
  assert.equal(Object.keys(shown).sort(), faults.flatMap(([id, { shows }]) => (shows ? [id] : [])).sort());
});

test('a certificate that the others turn away counts while etcd runs and does not serve, and not where it does', () => {
  const [bad] = shown.certificate ?? [];
  const process = { state: 'S', overMs: 1500, cpuTicks: 3, ioBytes: 0 };
  const mute = { health: { state: 'none', why: 'no answer' }, self: undefined, process } as const;
  assert.is(diagnose(situation({ ...healthy, ...bad, ...mute })).reason, 'local-fault/certificate');
  assert.is(diagnose(situation({ ...healthy, ...bad })).verdict, 'healthy');
  // One that does nothing is hung, whatever is wrong with a file.
  const hung = { ...mute, process: { ...process, cpuTicks: 0 } };
  assert.is(diagnose(situation({ ...healthy, ...bad, ...hung })).verdict, 'hung');
  const others = healthy.others.map(({ endpoint }) => ({
    endpoint,
    reply: { ok: false, why: 'no answer' } as const,
  }));
  // All nodes have the same: where it has expired nobody answers us, and all may serve.
  assert.is(diagnose(situation({ ...healthy, ...bad, ...mute, others })).verdict, 'local-fault');
  const waiting = ([1, 3] as const).map((n) => asked(n, { serves: false, leader: '0' }));
  assert.is(diagnose(situation({ ...healthy, ...bad, ...mute, others: waiting })).verdict, 'quorum-lost');
});

test('neither what the machine shows nor a line counts while etcd runs and has not crashed', () => {
  const [full] = shown['disk-full'] ?? [];
  const process = { state: 'S', overMs: 1500, cpuTicks: 3, ioBytes: 0 };
  const mute = { health: { state: 'none', why: 'no answer' }, self: undefined, process } as const;
  const value = Object.keys(localFaults).flatMap((id) => (recordedLines[id] ?? []).map(plainLine));
  const log = { ok: true, value } as const;
  assert.is(diagnose(situation({ ...healthy, ...full, ...mute })).verdict, 'unknown');
  assert.is(diagnose(situation({ ...healthy, ...mute, log })).verdict, 'unknown');
});

test('where certificates are lost nobody starts a program that was missing: once it can be run it is no fault', () => {
  const observed = (etcdVersion: string) => ({
    ...NO_DATA,
    ...certificatesGone,
    ...host({ etcdVersion }),
    ...ends({ exitStatus: 203 }),
  });
  assert.is(reasonOf([], observed('')).reason, 'local-fault/unit');
  assert.is.not(reasonOf([], observed('3.4.23')).verdict, 'local-fault');
});

test.run();
