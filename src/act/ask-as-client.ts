import type { Situation } from '../diagnose/situation.ts';
import { clientTls } from '../machine/etcd/etcd-config.ts';
import { ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { World } from '../observe/world.ts';

const HOSTS = '/etc/hosts';

/** The members' names that /etc/hosts lacks, before all that it has: of a name the first line counts (hosts(5)). */
function withNames(text: string, { observed: { app } }: Situation): string {
  const lines = text.split('\n');
  const named = app.ok ? app.value.hosts.map(({ ip, name }) => `${ip} ${name}`) : [];
  return [...named.filter((line) => !lines.includes(line)), ...lines].join('\n');
}

/**
 * Where certificates and data are gone together and no quorum has answered yet: brings what it takes to ask the others,
 * the client's certificate of the metadata service (docs/platform.md) and their names, which the image that a migration
 * puts back has not. No look does that by itself.
 * @returns whether there is something new to ask with: then another look is worth it
 * @throws when the metadata service does not answer, or what it has cannot be written
 */
export async function askAsClient(world: World, situation: Situation): Promise<boolean> {
  const { machine, places, metadata } = world;
  if (!situation.certificatesToBring || situation.cluster.hasQuorumWithoutSelf) return false;
  const { ca, cert, key } = clientTls(places.client);
  const encoded = await Promise.all(['caPem', 'clientPem', 'clientKeyPem'].map(metadata));
  const decoded = encoded.map((text) => Buffer.from(text, 'base64').toString('utf8'));
  if (!decoded.every((text) => text.includes('-----BEGIN ')))
    throw new Error('the metadata service has no certificate of a client');
  const texts = [...decoded, withNames((await machine.readFile(HOSTS))?.text ?? '', situation)];
  let changed = false;
  // The names may resolve without /etc/hosts, which may not be ours to write; with the key there is a client to ask as.
  for (const [i, path] of [ca, cert, key, HOSTS].entries()) {
    const text = texts[i] ?? '';
    if ((await machine.readFile(path))?.text === text) continue;
    await machine.writeFile(path, text, { ...ROOT_ONLY_FILE, mode: path === HOSTS ? 0o644 : 0o600 });
    changed = true;
  }
  return changed;
}
