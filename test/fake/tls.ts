import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CA_KEY, CERTIFICATES, certificatePath } from '../../src/appcenter/certificates.ts';
import type { FakeNode } from './node.ts';
import { ETCD_RIGHTS } from './paths.ts';

/** What follows `etcd<sid>` in the names of a cluster in TLS mode. */
export const DNS = '.cl-1.etcd';

const recorded = (of: string, name: string): string =>
  readFileSync(join(import.meta.dirname, 'recorded/tls', of, `${name}.pem`), 'utf8');

export type Certificates = Readonly<Record<string, string>>;

const setOf = (of: string): Certificates =>
  Object.fromEntries([...CERTIFICATES, CA_KEY].map((name) => [name, recorded(of, name)]));

/** The cluster's own, for `*.cl-1.etcd`, of 2025 to 2125, made with openssl. */
export const good = setOf('good');
/** What the app gives its nodes together: what follows `etcd<sid>` in their names, and certificates of a new authority. */
export interface Domain {
  readonly dns: string;
  readonly certificates: Certificates;
}
export const [FIRST, SECOND]: readonly [Domain, Domain] = [
  { dns: DNS, certificates: good },
  { dns: '.cl-2.etcd', certificates: setOf('renamed') },
];

/**
 * As whom an etcd that is started on these settings speaks, and whom it understands: those of its domain. One with
 * certificates that do not fit its names speaks with nobody.
 */
export function speaksAs({ disk }: FakeNode, env: Readonly<Record<string, string>>): string {
  const url = env.ETCD_ADVERTISE_CLIENT_URLS ?? '';
  const fits = ({ dns, certificates }: Domain): boolean =>
    url.includes(dns) &&
    ['ca', 'server', 'server-key', 'peer', 'peer-key'].every(
      (name) => disk.text(certificatePath(name)) === certificates[name],
    );
  if (url.startsWith('http:')) return 'http';
  return [FIRST, SECOND].find(fits)?.dns ?? url;
}

/** Whole in themselves, of an authority with the same name. */
export const ofOtherAuthority = setOf('other');

const without = (name: string): Certificates => {
  const { [name]: _, ...rest } = good;
  return rest;
};

/** What a node may offer that must not be put in place, and how that is refused. */
export const badOffers: Readonly<Record<string, readonly [offered: Certificates, says: RegExp]>> = {
  'of another authority': [ofOtherAuthority, /its ca\.pem is not the authority by which the members/],
  'with a certificate of another authority': [
    { ...good, peer: ofOtherAuthority.peer as string, 'peer-key': ofOtherAuthority['peer-key'] as string },
    /peer\.pem was not issued by an authority/,
  ],
  expired: [
    { ...good, server: recorded('good', 'expired'), 'server-key': recorded('good', 'expired-key') },
    /server\.pem has expired on/,
  ],
  'with a key that does not fit': [
    { ...good, 'peer-key': good['server-key'] as string },
    /the key of peer\.pem belongs to another certificate/,
  ],
  'with a key of another authority': [
    { ...good, [CA_KEY]: ofOtherAuthority[CA_KEY] as string },
    /the key of ca\.pem belongs to another certificate/,
  ],
  'in part': [without('server-key'), /it lacks server-key\.pem/],
  none: [{}, /it lacks ca\.pem, client\.pem/],
};
export const withoutCaKey = without(CA_KEY);

/** A node has these certificates, and no others. */
export function putCertificates({ disk }: FakeNode, certificates: Certificates): void {
  disk.delete('/var/lib/etcd/ssl');
  for (const [name, text] of Object.entries(certificates))
    disk.set(certificatePath(name), {
      text,
      rights: { ...ETCD_RIGHTS, mode: /-key$/.test(name) ? 0o600 : 0o644 },
    });
  disk.flush();
}

/** What stands on its data disk of them, by name. */
export const certificatesOf = ({ disk }: FakeNode): Certificates =>
  Object.fromEntries(
    Object.keys(good).flatMap((name) => {
      const text = disk.text(certificatePath(name));
      return text === undefined ? [] : [[name, text]];
    }),
  );

/** Its data disk is a new one: data, certificates and marks are gone with the old. */
export function losesVolume({ disk }: FakeNode): void {
  disk.delete('/var/lib/etcd');
  disk.flush();
}

/** Why a client on a node gets no answer by TLS from one that has these certificates; undefined where it does. */
export function whyNoClient(
  { disk }: FakeNode,
  host: string,
  { dns, certificates }: Domain,
  tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined,
): string | undefined {
  if (!(disk.text('/etc/hosts') ?? '').includes(` ${host}`)) return `lookup ${host}: no such host`;
  const files = { ca: tls?.ca, client: tls?.cert, 'client-key': tls?.key };
  for (const [name, path] of Object.entries(files)) {
    const text = disk.text(path ?? '');
    if (text === undefined) return `open ${path}: no such file or directory`;
    if (text !== certificates[name]) return 'remote error: tls: bad certificate';
  }
  return host.endsWith(dns) ? undefined : `x509: certificate is valid for *${dns}, not ${host}`;
}
