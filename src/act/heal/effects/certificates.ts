import { dirname } from 'node:path';
import { CA_KEY, CERTIFICATES, certificatePath } from '../../../appcenter/certificates.ts';
import { CLIENT_TLS_DIR, hostOf } from '../../../machine/etcd/etcd-config.ts';
import { certificateFaults } from '../../../machine/os/certificates.ts';
import { isBlank } from '../../../machine/systemd/env-file.ts';
import type { HealContext } from '../heal-context.ts';
import { unitUser } from './data.ts';
import { APP_START_MS } from './units.ts';

/** What a node offers by name, empty where it has none; read into memory. */
async function offeredBy({ machine, places }: HealContext, source: string) {
  await machine.remove(places.offered);
  await machine.copyFrom(source, `${CLIENT_TLS_DIR}/*.pem`, places.offered);
  const textOf = async (name: string) =>
    [name, (await machine.readFile(`${places.offered}/${name}.pem`))?.text ?? ''] as const;
  return Object.fromEntries(await Promise.all([...CERTIFICATES, CA_KEY].map(textOf)));
}

/**
 * The authority must be, to the letter, that by which the members that serve were verified when they were asked.
 * @throws why what a node offers is not put in place
 */
async function mustFit({ machine, config }: HealContext, offered: Readonly<Record<string, string>>) {
  // The app's start waits for the CA's key as well.
  const lacks = [...CERTIFICATES, CA_KEY].filter((name) => !offered[name]);
  if (lacks.length > 0) throw new Error(`it lacks ${lacks.join('.pem, ')}.pem`);
  const { ca = '' } = offered;
  const trusted = config.tls && (await machine.readFile(config.tls.ca))?.text;
  if (ca.trim() !== trusted?.trim())
    throw new Error('its ca.pem is not the authority by which the members that serve are verified');
  const hosts = { ca: [], client: [], server: [hostOf(config.clientUrl)], peer: config.peerUrls.map(hostOf) };
  const faults = Object.entries(hosts).flatMap(([name, names]) => {
    const pair = { setting: `${name}.pem`, cert: offered[name] ?? '', key: offered[`${name}-key`] ?? '' };
    return certificateFaults({ ...pair, ca, hosts: names }, machine.now());
  });
  if (faults.length > 0) throw new Error(faults.join('; '));
}

/** Puts what one node offers in place, each file whole, with the app's owner and mode. @throws why it is refused */
async function bringFrom(heal: HealContext, source: string): Promise<string> {
  const { machine } = heal;
  const offered = await offeredBy(heal, source);
  await mustFit(heal, offered);
  const user = await unitUser(heal);
  // The CA's key before the others: the step is done when none of those is missing. The peer's comes last: until it is
  // there, certificates and keys do not fit each other, and a heal that is cut off in between puts the rest in place.
  const paths = [dirname(CLIENT_TLS_DIR), CLIENT_TLS_DIR, ...[CA_KEY, ...CERTIFICATES].map(certificatePath)];
  const textOf = (path: string) => offered[path.slice(CLIENT_TLS_DIR.length + 1, -'.pem'.length)];
  const kept = await Promise.all(
    paths.map(async (path) => {
      if ((await machine.kindOf(path)) === 'none') return false;
      if (textOf(path) === undefined || (await machine.readFile(path))?.text === textOf(path)) return true;
      // All are there, and their authority or names are not the app's any more: nobody uses them.
      if (heal.situation.observed.tls?.missing.length === 0) return false;
      throw new Error(`${path} is there, and is another one than that of ${source}; move it away`);
    }),
  );
  for (const path of paths.filter((_, i) => !kept[i])) {
    const text = textOf(path);
    if (text === undefined) await machine.makeDirectory(path, { ...user, mode: 0o755 });
    else await machine.writeFile(path, text, { ...user, mode: path.endsWith('-key.pem') ? 0o600 : 0o644 });
  }
  return `${CLIENT_TLS_DIR} is back as ${source} has it`;
}

/**
 * Brings the certificates back from the first node that serves and whose own pass every check. Where etcd.env is lost as
 * well, the app's start writes it: with certificates there it makes none, and the gate refuses etcd's start.
 * They stay, whatever becomes of the heal: all nodes have the same, and without them the app's start makes new ones.
 * @throws why those of each node were refused; nothing is changed then
 */
export async function bringCertificates(heal: HealContext): Promise<string> {
  const { machine, places, settings, situation } = heal;
  const { app } = situation.observed;
  const serving = situation.cluster.serving.map(({ endpoint }) => hostOf(endpoint));
  // By address, as the app calls them, and root's ssh knows them.
  const sources = (app.ok ? app.value.hosts : []).filter(({ name }) => serving.includes(name.toLowerCase()));
  const refused: string[] = [];
  let did: string | undefined;
  for (const { ip } of sources)
    did ??= await bringFrom(heal, ip).catch((error: Error) => void refused.push(`${ip}: ${error.message}`));
  await machine.remove(places.offered);
  const why = refused.join('; ') || 'the app names no address of those that serve';
  if (did === undefined) throw new Error(`no other node offers certificates that can be used: ${why}`);
  if (!(await isBlank(machine, places.env))) return did;
  const code = await machine.runApp(settings.startCmd, APP_START_MS);
  const has = (await isBlank(machine, places.env)) ? 'has not' : 'has';
  return `${did}; \`${settings.startCmd.join(' ')}\` ${has} written ${places.env} (exit ${code ?? 'not yet'})`;
}
