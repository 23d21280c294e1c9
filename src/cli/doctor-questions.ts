import { failureTolerance } from '../diagnose/failure-tolerance.ts';
import { notLaid } from '../install/install.ts';
import { brokenCertificates } from '../observe/look-at-host.ts';
import type { GuardId } from '../plan/guards.ts';
import { healRecordFile } from '../state/heal-record.ts';
import { isParked } from '../state/parked.ts';
import { GATE_DROP_IN } from '../state/places.ts';
import type { Looked } from './look.ts';

const CERTIFICATE_DAYS = 30;
const DAY_MS = 86_400_000;
/** etcd itself warns of a second (etcd: rafthttp/probing_status.go, clock difference). */
const CLOCK_MS = 2000;

/** The guards of a heal that are answered as well while nothing is wrong. */
export const peaceGuards: readonly GuardId[] = [
  'role',
  'unit-file',
  'birthmark',
  'version',
  'mounted',
  'credentials',
  'certificates',
  'daily-limit',
  'disk-room',
  'swap-room',
];

/** What the doctor's own questions are answered from. */
export async function peacetime({
  settings,
  world: { machine, places },
  situation,
}: Pick<Looked, 'settings' | 'world' | 'situation'>) {
  const { config, observed } = situation;
  const nowMs = machine.now();
  const later = config ? await brokenCertificates(machine, config, nowMs + CERTIFICATE_DAYS * DAY_MS) : [];
  // Also a check that compares nothing writes it, with what was found when it last did.
  const checkedMs = await machine.changedMs(places.deepCheck);
  return {
    situation,
    settings,
    parked: await isParked(machine, places),
    /** An unfinished heal is there. */
    unfinished: (await healRecordFile.read(machine, places.journal)) !== undefined,
    /** What install lays, and is not there as it is to be. */
    notLaid: notLaid(),
    /** What will be wrong with etcd's certificates then, and is not now. */
    endsSoon: later.filter(
      (fault) => !(observed.host?.ok && observed.host.value.certificateFaults.includes(fault)),
    ),
    /** How long ago the health check has last looked deeper. */
    checkedAgoMs: Math.abs(nowMs - (checkedMs ?? Number.POSITIVE_INFINITY)),
  };
}

type Peacetime = Awaited<ReturnType<typeof peacetime>>;

interface Question {
  readonly id: string;
  readonly asks: string;
  /** What is not in place, and what to do about it; undefined when all is well. */
  readonly finds: (p: Peacetime) => string | false | undefined;
}

/** Is everything in place for the day it is needed? */
export const doctorQuestions: readonly Question[] = [
  {
    id: 'installed',
    asks: 'Is everything that install puts on a node there?',
    finds: ({ notLaid }) =>
      notLaid.length > 0 && `${notLaid.join(', ')} missing or changed; run \`heal-node install\``,
  },
  {
    id: 'gate',
    asks: 'Does systemd ask the gate before it starts etcd?',
    finds: ({ situation: { unit } }) =>
      !unit?.dropIns.some((path) => path.endsWith(`/${GATE_DROP_IN}`)) &&
      `etcd's unit has no drop-in ${GATE_DROP_IN} in force; run \`heal-node install\` and \`systemctl daemon-reload\``,
  },
  {
    id: 'checked',
    asks: 'Does AppCenter call the health check?',
    finds: ({ checkedAgoMs, settings }) =>
      checkedAgoMs > 2 * settings.deepCheckIntervalMs + 300_000 &&
      `it has not looked ${Number.isFinite(checkedAgoMs) ? `for ${Math.round(checkedAgoMs / 60_000)} minutes` : 'yet'}; set the lines of cluster.json that \`heal-node install\` prints`,
  },
  {
    id: 'mode',
    asks: 'Does it heal by itself?',
    finds: ({ settings: { mode }, parked, situation }) =>
      mode !== 'auto'
        ? `HEAL_MODE is ${mode}; set it to auto in /opt/app/conf/heal-node.env if that is not meant`
        : (parked && 'the app was stopped; its next start takes that back') || situation.paused,
  },
  {
    id: 'unfinished',
    asks: 'Is no heal unfinished?',
    finds: ({ unfinished, situation }) =>
      (unfinished || situation.swapped) &&
      'a heal or a runbook is not finished; see `heal-node status`, then `heal-node resume` or `heal-node restore`',
  },
  {
    id: 'certificate-dates',
    asks: `Are etcd's certificates good for another ${CERTIFICATE_DAYS} days?`,
    finds: ({ endsSoon }) => endsSoon.length > 0 && `${endsSoon.join('; ')}; renew them`,
  },
  {
    id: 'clock',
    asks: 'Do the clocks of the members agree?',
    finds: ({ situation: { cluster } }) => {
      const off = cluster.serving
        .filter(({ reply: { clockSkewMs = 0 } }) => Math.abs(clockSkewMs) > CLOCK_MS)
        .map(
          ({ endpoint, reply: { clockSkewMs = 0 } }) => `${endpoint} is ${clockSkewMs / 1000} s from ours`,
        );
      return off.length > 0 && `${off.join(', ')}; look at the time service of both`;
    },
  },
  {
    id: 'members',
    asks: 'Do all members serve?',
    finds: ({ situation }) => {
      const { servesAsOwn, cluster } = situation;
      const silent = cluster.silent.map(({ endpoint, why }) => `${endpoint} does not serve: ${why}`);
      if (!servesAsOwn) silent.unshift('this member does not serve; see `heal-node diagnose`');
      const tolerance = failureTolerance(situation) ?? 'unknown';
      return silent.length > 0 && `${silent.join('; ')}; failure tolerance ${tolerance}`;
    },
  },
];
