import type { AppView } from '../../appcenter/app-view.ts';
import type { Situation } from '../../diagnose/situation.ts';
import { clientTls } from '../../machine/etcd/etcd-config.ts';
import { ROOT_ONLY_FILE } from '../../machine/machine.ts';
import type { World } from '../../observe/world.ts';

const HOSTS = '/etc/hosts';

/** The members' names that /etc/hosts lacks, before all that it has: of a name the first line counts (hosts(5)). */
function withNames(text: string, { hosts }: AppView): string {
  const lines = text.split('\n');
  const named = hosts.map(({ ip, name }) => `${ip} ${name}`).filter((line) => !lines.includes(line));
  return [...named, ...lines].join('\n');
}

/** The client's certificate of the metadata service, and the authority to verify others by, as texts. @throws without one */
async function clientOf({ metadata }: World): Promise<string[]> {
  const encoded = await Promise.all(['caPem', 'clientPem', 'clientKeyPem'].map(metadata));
  const texts = encoded.map((text) => Buffer.from(text, 'base64').toString('utf8'));
  if (texts.every((text) => text.includes('-----BEGIN '))) return texts;
  throw new Error('the metadata service has no certificate of a client');
}

/**
 * Where no quorum has answered a node in TLS mode: brings what it takes to ask the others. Their names, which the image
 * that a migration puts back has not; and where certificates and data are gone together the client's certificate of the
 * metadata service (docs/platform.md). `observe` never does that by itself.
 * @returns whether there is something new to ask with: then another look is worth it
 * @throws when the metadata service does not answer, or what it has cannot be written
 */
export async function askAsClient(world: World, situation: Situation): Promise<boolean> {
  const { machine, places } = world;
  const { observed, cluster, certificatesToBring } = situation;
  if (!(observed.app.ok && observed.app.value.tls) || cluster.hasQuorumWithoutSelf) return false;
  const { ca, cert, key } = clientTls(places.client);
  const hosts = withNames((await machine.readFile(HOSTS))?.text ?? '', observed.app.value);
  let changed = false;
  const bring = async (path: string, text: string, mode: number): Promise<void> => {
    if ((await machine.readFile(path))?.text === text) return;
    await machine.writeFile(path, text, { ...ROOT_ONLY_FILE, mode });
    changed = true;
  };
  // With the key there is a client to ask as. The names may resolve without /etc/hosts, which may not be ours to write.
  const texts = certificatesToBring ? await clientOf(world) : [];
  for (const [i, text] of texts.entries()) await bring([ca, cert, key][i] ?? '', text, 0o600);
  await bring(HOSTS, hosts, 0o644);
  return changed;
}
