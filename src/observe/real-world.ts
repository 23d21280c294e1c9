import { etcdCluster } from '../cluster/etcd-cluster.ts';
import { limitedFetch } from '../cluster/limited-fetch.ts';
import { memberHealth } from '../cluster/member-health.ts';
import { attempt } from '../machine/attempt.ts';
import { readTrusted } from '../machine/os/read-trusted.ts';
import { thisMachine } from '../machine/this-machine.ts';
import { loadSettings } from '../settings/load-settings.ts';
import type { Settings } from '../settings/settings-table.ts';
import { places } from '../state/places.ts';
import type { World } from './world.ts';

/** @throws when the password file is missing or can be written by others than root. */
function credentialsOf({ etcdUser, etcdPasswordFile }: Settings): string | undefined {
  if (etcdUser === '') return undefined;
  const password = etcdPasswordFile === '' ? undefined : readTrusted(etcdPasswordFile)?.trimEnd();
  if (!password)
    throw new Error(`HEAL_ETCD_PASSWORD_FILE=${etcdPasswordFile} holds no password for ${etcdUser}.`);
  return `${etcdUser}:${password}`;
}

/** The world as it is: this machine, and the cluster as etcd's clients reach it. */
export function realWorld(settings: Settings): World {
  return {
    machine: thisMachine,
    places: places(settings),
    cluster: (tls) =>
      etcdCluster({ program: settings.etcdctl, tls, credentials: () => credentialsOf(settings) }),
    health: memberHealth,
    metadata: async (key) => {
      const { reply, text } = await limitedFetch(`http://metadata/self/env/${key}`, undefined, 1000);
      if (!reply.ok) throw new Error(`the metadata service answers ${reply.status} for ${key}`);
      return text;
    },
    birthmarkOn: settings.birthmark === 'on',
    healsDivergence: settings.onDivergence === 'heal',
    // Off is what the hooks make of settings that cannot be used.
    mode: async () => attempt(() => loadSettings().mode) ?? 'off',
  };
}
