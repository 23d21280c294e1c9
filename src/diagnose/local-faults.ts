import type { Listener } from '../machine/os/network.ts';
import type { HostFacts } from '../observe/observation.ts';
import { allOf, ev, type Shown, settingsEvidence } from './evidence.ts';
import type { Situation } from './situation.ts';

/** A fault of this machine, which a fresh member would meet again. */
export interface LocalFault {
  /** What etcd says of it as it ends, in either of its formats as text. */
  readonly says?: RegExp;
  /** It is how certificates and settings that are lost with the disks show, too: no fault where a heal brings them back. */
  readonly asLost?: true;
  /** How this machine, or systemd, shows it. */
  readonly shows?: (s: Situation) => Shown;
}

/**
 * With less nothing can be written at all. What a heal needs beyond that is for its guard to say, which counts what
 * may be discarded; and an etcd that has run into a full disk says so in its log.
 */
const LEAST_FREE_BYTES = 4 << 20;

type OnHost = readonly (readonly [source: string, text: string])[];

/** Who listens on one of etcd's ports beside the unit's own process. */
export const listens = ({ port, pid, program }: Listener) =>
  [`port ${Math.abs(port)}`, `process ${pid} (${program}) listens on it`] as const;

/** It runs, does something, and does not serve, while a quorum of the others does, or nobody answers us either. */
const isMute = ({ progresses, servesAsOwn, cluster }: Situation): boolean =>
  progresses && !servesAsOwn && (cluster.hasQuorumWithoutSelf || !cluster.answered);

/**
 * Seen on the machine itself. It counts when etcd has crashed, and where the gate lets none start that could: one that
 * runs gets along with it.
 * @param mute it counts, too, while etcd runs and does not serve where a quorum of others does, or nobody answers
 */
const onHost =
  (shows: (host: HostFacts, s: Situation) => OnHost, mute = false): NonNullable<LocalFault['shows']> =>
  (s) =>
    s.observed.host?.ok && (s.crashed || (s.process === 'dead' ? s.dataGone : mute && isMute(s)))
      ? shows(s.observed.host.value, s).map(([source, text]) => ev('host', source, text))
      : [];

/** Killed by the kernel, or by somebody, rather than by its own fault: SIGKILL, and not on `systemctl stop`. */
const killed = ({ unit, process }: Situation): boolean =>
  unit !== undefined &&
  process === 'dead' &&
  (unit.result === 'oom-kill' ||
    (unit.exitKind === 2 && unit.exitStatus === 9 && unit.result === 'signal' && unit.restarts > 0));

/**
 * systemd could not start it at all: no environment file, where it is not lost with all the rest, or an exit code of its
 * own (systemd.exec(5), 200 and more). Where certificates are lost nothing starts it to show it again: there a program that
 * was missing (203) and can be run by now is none.
 */
const cannotStart = ({ unit, process, certificatesToBring, observed: { host } }: Situation): boolean => {
  if (unit === undefined || process !== 'dead') return false;
  const runs = unit.exitStatus === 203 && host?.ok && host.value.etcdVersion !== '';
  if (certificatesToBring && (runs || unit.result === 'resources')) return false;
  return unit.result === 'resources' || (unit.exitKind === 1 && unit.exitStatus >= 200);
};

/**
 * Every fault of this machine, the first that holds counts; the reason code is `local-fault/NAME`, whoever shows it. To
 * teach heal-node a new one, add a row and its test.
 */
export const localFaults: Readonly<Record<string, LocalFault>> = {
  'disk-full': {
    // Go syscall package, ENOSPC
    says: /(?:: |error=)no space left on device\b/,
    shows: onHost(({ freeBytes, freeInodes }, { config }) =>
      freeBytes < LEAST_FREE_BYTES || freeInodes < 1
        ? [[config?.dataDir ?? '', `${freeBytes} bytes and ${freeInodes} inodes are free on its file system`]]
        : [],
    ),
  },
  'read-only': {
    // Go syscall package, EROFS; etcd etcdmain/etcd.go
    says: /(?:: |error=)read-only file system\b/,
  },
  'disk-failing': {
    // Go syscall package, EIO and EUCLEAN
    says: /(?:: |error=)(?:input\/output error|structure needs cleaning)\b/,
  },
  permission: {
    asLost: true,
    // etcd etcdmain/etcd.go, identifyDataDirOrDie; Go os package, EACCES
    says: /\berror listing data dir: |\bcannot access data directory: (?!.*: (?:read-only|no space))|: permission denied\b/,
    shows: onHost(({ unusable, unusableData }) =>
      [...unusableData, ...unusable].map((text) => ['files', text]),
    ),
  },
  certificate: {
    asLost: true,
    // etcd embed/serve.go by pkg/transport/listener.go; Go crypto/tls, X509KeyPair
    says: /\bopen \S+\.(pem|crt|key): no such file or directory\b|\btls: (private key does not match public key|failed to find any PEM data)\b/,
    // One whose certificates the others turn away lives, and waits for them for ever.
    shows: onHost(({ certificateFaults }) => certificateFaults.map((text) => ['certificates', text]), true),
  },
  'port-taken': {
    // Go net package, EADDRINUSE
    says: /\blisten tcp \S+: bind: address already in use\b/,
    shows: onHost(({ portConflicts }) => portConflicts.map(listens)),
  },
  'address-missing': {
    // Go net package, EADDRNOTAVAIL
    says: /\blisten tcp \S+: bind: cannot assign requested address\b/,
    shows: onHost(({ missingAddresses }) =>
      missingAddresses.map((address) => [address, 'no interface of this machine has it']),
    ),
  },
  'bad-setting': {
    // etcd etcdmain/etcd.go, startEtcdOrProxyV2; etcdserver/config.go, VerifyBootstrap
    says: /\berror verifying flags, |\bfailed to verify flags\b|\bcouldn't find local name "\S+" in the initial cluster configuration\b/,
  },
  'etcd-too-old': {
    shows: (s) => s.process === 'dead' && s.etcdTooOld && ev('host', 'etcd', s.etcdTooOld),
  },
  unit: {
    shows: (s) =>
      cannotStart(s) &&
      allOf(
        ev('unit', s.unitName, `result ${s.unit?.result}, exit ${s.unit?.exitStatus}`),
        settingsEvidence(s),
      ),
  },
  killed: {
    shows: (s) =>
      killed(s) && ev('unit', s.unitName, `ended by signal ${s.unit?.exitStatus}, result ${s.unit?.result}`),
  },
};
