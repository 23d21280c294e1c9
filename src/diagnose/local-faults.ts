import type { HostFacts } from '../observe/observation.ts';
import { allOf, ev, type Shown, settingsEvidence } from './evidence.ts';
import type { Situation } from './situation.ts';

/** A fault of this machine, which a fresh member would meet again. */
export interface LocalFault {
  /** The reason code is `local-fault/ID`, whoever shows it. */
  readonly id: string;
  /** One sentence: what was found. */
  readonly means: string;
  /** What a person should do, as an imperative. */
  readonly advice: string;
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

/** It runs, does something, and does not serve, while a quorum of the others does. */
const isMute = ({ progresses, servesAsOwn, cluster }: Situation): boolean =>
  progresses && !servesAsOwn && cluster.hasQuorumWithoutSelf;

/**
 * Seen on the machine itself. It counts when etcd has crashed, and where the gate lets none start that could: one that
 * runs gets along with it.
 * @param mute it counts, too, while etcd runs and does not serve where a quorum of others does
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
 * own (systemd.exec(5), 200 and more).
 */
const cannotStart = ({ unit, process, certificatesToBring }: Situation): boolean =>
  unit !== undefined &&
  process === 'dead' &&
  ((unit.result === 'resources' && !certificatesToBring) || (unit.exitKind === 1 && unit.exitStatus >= 200));

/** Every fault of this machine, the first that holds counts. To teach heal-node a new one, add a row and its test. */
export const localFaults: readonly LocalFault[] = [
  {
    id: 'disk-full',
    means: 'its disk is full',
    advice: 'make room on the disk that the evidence names',
    // Go syscall package, ENOSPC
    says: /(?:: |error=)no space left on device\b/,
    shows: onHost(({ freeBytes, freeInodes }, { config }) =>
      freeBytes < LEAST_FREE_BYTES || freeInodes < 1
        ? [[config?.dataDir ?? '', `${freeBytes} bytes and ${freeInodes} inodes are free on its file system`]]
        : [],
    ),
  },
  {
    id: 'read-only',
    means: 'its disk takes no changes, as the kernel sees to after a disk error',
    advice: 'look at `dmesg`, and check the disk',
    // Go syscall package, EROFS; etcd etcdmain/etcd.go
    says: /(?:: |error=)read-only file system\b/,
  },
  {
    id: 'permission',
    asLost: true,
    means: "etcd's user cannot use a file that it needs",
    advice: "give the file to etcd's user, or put it back where it is missing; then run the health action",
    // etcd etcdmain/etcd.go, identifyDataDirOrDie; Go os package, EACCES
    says: /\berror listing data dir: |\bcannot access data directory: (?!.*: (?:read-only|no space))|: permission denied\b/,
    shows: onHost(({ unusable, unusableData }) =>
      [...unusableData, ...unusable].map((text) => ['files', text]),
    ),
  },
  {
    id: 'certificate',
    asLost: true,
    means: 'a certificate or key that etcd is told to use is missing, does not fit, or would be turned away',
    advice: 'put certificates in place that fit, with the owner that etcd runs as',
    // etcd embed/serve.go by pkg/transport/listener.go; Go crypto/tls, X509KeyPair
    says: /\bopen \S+\.(pem|crt|key): no such file or directory\b|\btls: (private key does not match public key|failed to find any PEM data)\b/,
    // One whose certificates the others turn away lives, and waits for them for ever.
    shows: onHost(({ certificateFaults }) => certificateFaults.map((text) => ['certificates', text]), true),
  },
  {
    id: 'port-taken',
    means: 'another process listens on its port',
    advice: 'find the process with `ss -ltnp`, and stop it',
    // Go net package, EADDRINUSE
    says: /\blisten tcp \S+: bind: address already in use\b/,
    shows: onHost(({ portConflicts }) =>
      portConflicts.map(({ port, pid, program }) => [
        `port ${port}`,
        `process ${pid} (${program}) listens on it`,
      ]),
    ),
  },
  {
    id: 'address-missing',
    means: 'this machine does not have an address that etcd is told to listen on',
    advice: 'correct the address in the metadata or on the interface',
    // Go net package, EADDRNOTAVAIL
    says: /\blisten tcp \S+: bind: cannot assign requested address\b/,
    shows: onHost(({ missingAddresses }) =>
      missingAddresses.map((address) => [address, 'no interface of this machine has it']),
    ),
  },
  {
    id: 'bad-setting',
    means: 'a value in its settings is not one that etcd takes',
    advice:
      'correct the value in the settings of etcd, or put /opt/app/bin/.env right, from which the app writes etcd.env; then run the health action',
    // etcd etcdmain/etcd.go, startEtcdOrProxyV2; etcdserver/config.go, VerifyBootstrap
    says: /\berror verifying flags, |\bfailed to verify flags\b|\bcouldn't find local name "\S+" in the initial cluster configuration\b/,
  },
  {
    id: 'etcd-too-old',
    means: 'its etcd is older than the cluster, which would let neither it nor a fresh member join',
    advice: "bring etcd on this node to the cluster's version; replacing the member would not help",
    shows: (s) => s.process === 'dead' && s.etcdTooOld && ev('host', 'etcd', s.etcdTooOld),
  },
  {
    id: 'unit',
    means: 'systemd cannot start it: the environment file, the program or the unit is missing or bad',
    advice: "put back what is missing; the app's restart writes etcd.env anew",
    shows: (s) =>
      cannotStart(s) &&
      allOf(
        ev('unit', s.unitName, `result ${s.unit?.result}, exit ${s.unit?.exitStatus}`),
        settingsEvidence(s),
      ),
  },
  {
    id: 'killed',
    means:
      'it is killed from outside again and again, for lack of memory as a rule: a fresh member would be too',
    advice:
      'look at `journalctl -k | grep -i oom` and at the limits of the unit; give the machine more memory',
    shows: (s) =>
      killed(s) && ev('unit', s.unitName, `ended by signal ${s.unit?.exitStatus}, result ${s.unit?.result}`),
  },
];
