import { etcdctlCluster } from '../cluster/etcdctl.ts';
import { withFastReads } from '../cluster/gateway.ts';
import { memberHealth } from '../cluster/member-health.ts';
import { places } from '../node/places.ts';
import { readTrusted } from '../node/read-trusted.ts';
import { thisMachine } from '../node/this-machine.ts';
import { readDeepCheck } from '../report/deep-check-file.ts';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings-table.ts';
import type { World } from './world.ts';

/** A read from another member that takes longer counts as no answer. */
const READ_TIMEOUT_MS = 1500;
const FAST_READ_TIMEOUT_MS = 500;

/** @throws when the password file is missing or can be written by others than root. */
function credentialsOf({ etcdUser, etcdPasswordFile }: Settings): string | undefined {
  if (etcdUser === '') return undefined;
  const password = etcdPasswordFile === '' ? undefined : readTrusted(etcdPasswordFile)?.trimEnd();
  if (!password)
    throw new Error(`HEAL_ETCD_PASSWORD_FILE=${etcdPasswordFile} holds no password for ${etcdUser}.`);
  return `${etcdUser}:${password}`;
}

/** The world as it is: this machine, and the cluster by etcdctl. */
export function realWorld(settings: Settings): World {
  const credentials = credentialsOf(settings);
  return {
    machine: thisMachine,
    places: places(settings),
    cluster: (tls) =>
      withFastReads(
        etcdctlCluster({ program: settings.etcdctl, tls, credentials, readTimeoutMs: READ_TIMEOUT_MS }),
        tls,
        FAST_READ_TIMEOUT_MS,
      ),
    health: memberHealth,
    birthmarkOn: settings.birthmark === 'on',
    mode: async () => {
      try {
        return loadSettings().mode;
      } catch {
        return 'off'; // What the hooks make of settings that cannot be used.
      }
    },
    divergence: async () => {
      const found = await readDeepCheck(thisMachine, places(settings).deepCheck);
      return found?.state === 'differs' ? { ...found, heals: settings.onDivergence === 'heal' } : undefined;
    },
  };
}
