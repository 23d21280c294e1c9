import type { HostFacts } from '../observe/observation.ts';
import { ev, type Seen } from './evidence.ts';
import type { Situation } from './situation.ts';

/** A fault of this machine, seen on the machine itself: a fresh member would meet it again. */
export interface HostFault {
  readonly id: string;
  readonly means: string;
  /** What shows it; nothing when it does not hold. */
  readonly when: (s: Situation) => readonly Seen[];
}

/**
 * With less nothing can be written at all. What a heal needs beyond that is for its guard to say, which counts what
 * may be discarded; and an etcd that has run into a full disk says so in its log.
 */
const LEAST_FREE_BYTES = 4 << 20;

const fault = (
  id: string,
  means: string,
  shows: (host: HostFacts, s: Situation) => readonly (readonly [source: string, text: string])[],
): HostFault => ({
  id,
  means,
  when: (s) => {
    const { host } = s.seen;
    return host?.ok ? shows(host.value, s).map(([source, text]) => ev('host', source, text)) : [];
  },
});

export const hostFaults: readonly HostFault[] = [
  fault('disk-full', 'its disk is full', ({ freeBytes, freeInodes }, { config }) =>
    freeBytes < LEAST_FREE_BYTES || freeInodes < 1
      ? [[config?.dataDir ?? '', `${freeBytes} bytes and ${freeInodes} inodes are free on its file system`]]
      : [],
  ),
  fault('certificate', 'a certificate of this node would be turned away', ({ certificateFaults }) =>
    certificateFaults.map((text) => ['certificates', text]),
  ),
  fault('port-taken', 'another process listens on its port', ({ squatters }) =>
    squatters.map(({ port, pid, program }) => [`port ${port}`, `process ${pid} (${program}) listens on it`]),
  ),
  fault('address-missing', 'this machine does not have an address that etcd is told to listen on', (host) =>
    host.missingAddresses.map((address) => [address, 'no interface of this machine has it']),
  ),
  fault('permission', "etcd's user cannot use its files", ({ unusable }) =>
    unusable.map((text) => ['files', text]),
  ),
];
