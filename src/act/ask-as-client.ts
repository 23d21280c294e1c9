import type { Situation } from '../diagnose/situation.ts';
import { clientTls } from '../machine/etcd/etcd-config.ts';
import { ROOT_ONLY_FILE } from '../machine/machine.ts';
import type { World } from '../observe/world.ts';

const HOSTS = '/etc/hosts';

/** The members' names in /etc/hosts, each in place of an older line, as the app's start writes them. */
function withNames(text: string, { observed: { app } }: Situation): string {
  const named = app.ok ? app.value.hosts : [];
  const lines = text.trimEnd().split('\n');
  const kept = lines.filter((line) => !named.some(({ name }) => line.endsWith(name)));
  return [...kept, ...named.map(({ ip, name }) => `${ip} ${name}`), ''].join('\n');
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
  const texts = [withNames((await machine.readFile(HOSTS))?.text ?? '', situation), ...decoded];
  let changed = false;
  // The key comes last: with it there is a client to ask as.
  for (const [i, path] of [HOSTS, ca, cert, key].entries()) {
    const text = texts[i] ?? '';
    if ((await machine.readFile(path))?.text === text) continue;
    await machine.writeFile(path, text, { ...ROOT_ONLY_FILE, mode: path === HOSTS ? 0o644 : 0o600 });
    changed = true;
  }
  return changed;
}
