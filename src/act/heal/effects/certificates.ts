import { CA_KEY, CERTIFICATES, certificatePath } from '../../../appcenter/certificates.ts';
import { CLIENT_TLS_DIR, hostOf } from '../../../machine/etcd/etcd-config.ts';
import { certificateFaults } from '../../../machine/os/certificates.ts';
import { isBlank } from '../../../machine/systemd/env-file.ts';
import type { HealContext } from '../heal-context.ts';
import { unitUser } from './data.ts';

/** What the app copies when a node is added (docs/platform.md). */
const SSL_DIR = CLIENT_TLS_DIR.slice(0, CLIENT_TLS_DIR.lastIndexOf('/'));
/** The app's start waits for the start of etcd's unit, which the gate refuses. */
const APP_START_MS = 120_000;

/** By name; empty where there is none. */
type Offered = Readonly<Record<string, string>>;

/** What a node offers, read into memory. */
async function offeredBy({ machine, places }: HealContext, source: string): Promise<Offered> {
  await machine.remove(places.offered);
  await machine.copyFrom(source, SSL_DIR, places.offered);
  const entries = CERTIFICATES.concat(CA_KEY).map(async (name) => {
    const file = await machine.readFile(`${places.offered}/ssl/etcd/${name}.pem`);
    return [name, file?.text ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Why what a node offers is not put in place; empty when all of it fits. The authority must be, to the letter, that by
 * which the members that serve were verified when they were asked.
 */
async function whyRefused({ machine, config }: HealContext, offered: Offered): Promise<string> {
  const lacks = CERTIFICATES.filter((name) => !offered[name]);
  if (lacks.length > 0) return `it lacks ${lacks.join('.pem, ')}.pem`;
  const { ca = '' } = offered;
  const trusted = config.tls && (await machine.readFile(config.tls.ca))?.text;
  if (ca.trim() !== trusted?.trim())
    return 'its ca.pem is not the authority by which the members that serve are verified';
  const hosts = { client: [], server: [hostOf(config.clientUrl)], peer: config.peerUrls.map(hostOf) };
  const pairs = Object.entries(offered[CA_KEY] ? { ca: [], ...hosts } : hosts);
  const faults = pairs.flatMap(([name, names]) => {
    const pair = { setting: `${name}.pem`, cert: offered[name] ?? '', key: offered[`${name}-key`] ?? '' };
    return certificateFaults({ ...pair, ca, hosts: names }, machine.now());
  });
  return faults.join('; ');
}

/** Brings back what one node offers, each file whole, with the app's owner and mode. @throws why it is refused */
async function bringFrom(heal: HealContext, source: string): Promise<string> {
  const { machine, memory } = heal;
  const offered = await offeredBy(heal, source);
  const why = await whyRefused(heal, offered);
  if (why !== '') throw new Error(why);
  const user = await unitUser(heal);
  // The CA's key before the others: the step is done when none of those is missing.
  const names = [CA_KEY, ...CERTIFICATES].filter((name) => offered[name]);
  for (const path of [SSL_DIR, CLIENT_TLS_DIR, ...names.map(certificatePath)]) {
    if ((await machine.kindOf(path)) !== 'none') continue;
    const text = offered[path.slice(CLIENT_TLS_DIR.length + 1, -'.pem'.length)];
    if (text === undefined) await machine.makeDirectory(path, { ...user, mode: 0o755 });
    else await machine.writeFile(path, text, { ...user, mode: path.endsWith('-key.pem') ? 0o600 : 0o644 });
    memory.brought.push(path);
  }
  const without = offered[CA_KEY] ? '' : ` (without ${CA_KEY}.pem, for which the app's own start waits)`;
  return `${CLIENT_TLS_DIR} is back as ${source} has it${without}`;
}

/**
 * Brings the certificates back from the first node that serves and whose own pass every check. Where etcd.env is lost as
 * well, the app's start writes it: with certificates there it makes none, and the gate refuses etcd's start.
 * @throws why those of each node were refused; nothing is changed then
 */
export async function bringCertificates(heal: HealContext): Promise<string> {
  const { machine, places, settings, memory, situation } = heal;
  const { app } = situation.observed;
  const serving = situation.cluster.serving.map(({ endpoint }) => hostOf(endpoint));
  // By address, as the app calls them, and root's ssh knows them.
  const sources = (app.ok ? app.value.hosts : []).filter(({ name }) => serving.includes(name));
  const refused: string[] = [];
  let did: string | undefined;
  for (const { ip } of sources)
    did ??= await bringFrom(heal, ip).catch((error: Error) => void refused.push(`${ip}: ${error.message}`));
  await machine.remove(places.offered);
  if (did === undefined)
    throw new Error(`no other node offers certificates that can be used: ${refused.join('; ')}`);
  if (!(await isBlank(machine, places.env))) return did;
  // From here on the app may be at work with them: they are not taken back any more.
  memory.brought.length = 0;
  const code = await machine.runApp(settings.startCmd, APP_START_MS);
  const has = (await isBlank(machine, places.env)) ? 'has not' : 'has';
  return `${did}; \`${settings.startCmd.join(' ')}\` ${has} written ${places.env} (exit ${code ?? 'not yet'})`;
}

/** Takes back what this run has brought, the last first; not while a verb of the app is at work, which may look for it. */
export async function takeCertificatesBack({ machine, memory, situation }: HealContext) {
  if (memory.brought.length === 0 || situation.observed.appBusy.length > 0) return undefined;
  for (const path of memory.brought.splice(0).toReversed())
    if ((await machine.kindOf(path)) === 'file' || (await machine.list(path)).length === 0)
      await machine.remove(path);
  return `the certificates in ${CLIENT_TLS_DIR} are gone again`;
}
