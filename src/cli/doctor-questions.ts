import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import { notLaid } from '../install/install.ts';
import { ownClient } from '../machine/etcd/etcd-config.ts';
import { brokenCertificates } from '../observe/look-at-host.ts';
import { type GuardId, guards } from '../plan/guards.ts';
import { DAY_MS, healRecordFile } from '../state/heal-record.ts';
import { isParked } from '../state/parked.ts';
import { GATE_DROP_IN } from '../state/places.ts';
import type { Values } from '../words/words.ts';
import type { Looked } from './look.ts';

/** The catalogue says the number, too. */
const CERTIFICATE_DAYS = 30;
/** etcd itself warns of a second (etcd: rafthttp/probing_status.go, clock difference). */
const CLOCK_MS = 2000;

/** The guards that ask what only a heal has; the others are answered as well while nothing is wrong. */
const OF_A_HEAL = /^(stale|not-serving|own-data|not-ahead|quorum|agreement|own-member|app-quiet|by-hand)$/;
export const peaceGuards = (Object.keys(guards) as GuardId[]).filter((id) => !OF_A_HEAL.test(id));

/** What the doctor's own questions are answered from. */
export async function peacetime(looked: Pick<Looked, 'settings' | 'world' | 'situation'>) {
  const { settings, situation } = looked;
  const { machine, places } = looked.world;
  const { config, observed } = situation;
  const nowMs = machine.now();
  const faultsNow = observed.host?.ok ? observed.host.value.certificateFaults : [];
  const all = config && { ...config, certificates: [...config.certificates, ...ownClient(config)] };
  const later = all ? await brokenCertificates(machine, all, nowMs + CERTIFICATE_DAYS * DAY_MS) : [];
  return {
    situation,
    settings,
    parked: await isParked(machine, places),
    /** An unfinished heal is there. */
    unfinished: (await healRecordFile.read(machine, places.journal)) !== undefined,
    /** What install lays, and is not there as it is to be. */
    notLaid: notLaid(),
    /** What will be wrong with etcd's certificates then, and is not now. */
    endsSoon: later.filter((fault) => !faultsNow.includes(fault)),
    /** How long ago the health check has last looked deeper: one that compares nothing writes it, too. */
    checkedAgoMs: Math.abs(nowMs - ((await machine.changedMs(places.deepCheck)) ?? Number.POSITIVE_INFINITY)),
  };
}

type Peacetime = Awaited<ReturnType<typeof peacetime>>;

/** The values of the sentence that says what is not in place, and what to do about it; nothing when all is well. */
type Finds = (p: Peacetime) => Values | false | undefined;

/** Is everything in place for the day it is needed? What each asks, and what it finds, is in the catalogue (src/words). */
export const doctorQuestions: Readonly<Record<string, Finds>> = {
  installed: ({ notLaid }) => notLaid.length > 0 && [notLaid.join(', ')],
  gate: ({ situation: { unit } }) =>
    !unit?.dropIns.some((path) => path.endsWith(`/${GATE_DROP_IN}`)) && [GATE_DROP_IN],
  checked: ({ checkedAgoMs, settings }) => {
    const mostMs = 2 * settings.deepCheckIntervalMs + 300_000;
    return checkedAgoMs > mostMs && [Math.round(mostMs / 60_000)];
  },
  mode: ({ settings: { mode } }) => mode !== 'auto' && [mode],
  'not-stopped': ({ parked }) => parked && [],
  unfinished: ({ unfinished, situation }) => (unfinished || situation.swapped) && [],
  'certificate-dates': ({ endsSoon }) => endsSoon.length > 0 && [endsSoon.join('; ')],
  clock: ({ situation: { cluster } }) => {
    const off = cluster.serving
      .filter(({ reply: { clockSkewMs = 0 } }) => Math.abs(clockSkewMs) > CLOCK_MS)
      .map(({ endpoint, reply: { clockSkewMs = 0 } }) => `${endpoint} (${clockSkewMs / 1000} s)`);
    return off.length > 0 && [off.join(', ')];
  },
  members: ({ situation }) => {
    const { servesAsOwn, cluster, config } = situation;
    const silent = cluster.silent.map(({ endpoint, why }) => `${endpoint} (${why})`);
    if (!servesAsOwn) silent.unshift(config?.clientUrl ?? 'this member');
    return silent.length > 0 && [silent.join(', '), failureTolerance(situation) ?? '?'];
  },
};
