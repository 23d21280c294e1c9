import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { attempt } from '../attempt.ts';

/** The texts of one certificate, its key and the authority that peers or clients check it with. */
export interface CertificateTexts {
  /** The setting that names the certificate, for messages. */
  readonly setting: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Hosts that others reach this node by. */
  readonly hosts: readonly string[];
}

const certificatesIn = (pem: string): X509Certificate[] =>
  pem.split(/(?<=-----END CERTIFICATE-----)/).flatMap((one) => attempt(() => new X509Certificate(one)) ?? []);

/** What would make TLS fail with it: dates, chain, key, names. Pure; empty when nothing is wrong. */
export function certificateFaults(texts: CertificateTexts, nowMs: number): string[] {
  const cert = attempt(() => new X509Certificate(texts.cert));
  if (cert === undefined) return [`${texts.setting} holds no certificate`];
  const faults: string[] = [];
  if (Date.parse(cert.validTo) < nowMs) faults.push(`${texts.setting} has expired on ${cert.validTo}`);
  if (Date.parse(cert.validFrom) > nowMs)
    faults.push(`${texts.setting} is valid only from ${cert.validFrom}`);
  const key = attempt(() => createPrivateKey(texts.key));
  if (key === undefined) faults.push(`the key of ${texts.setting} cannot be read as one`);
  else if (!cert.checkPrivateKey(key))
    faults.push(`the key of ${texts.setting} belongs to another certificate`);
  const authorities = certificatesIn(texts.ca);
  const issued = (by: X509Certificate): boolean =>
    authorities.some((ca) => by.checkIssued(ca) && by.verify(ca.publicKey));
  // Intermediate authorities stand behind it, each issued by the next (RFC 8446, 4.4.2).
  for (const by of certificatesIn(texts.cert).slice(1).reverse())
    if (by.ca && issued(by)) authorities.push(by);
  if (!issued(cert)) faults.push(`${texts.setting} was not issued by an authority of its trusted CA file`);
  const expired = authorities.find((ca) => Date.parse(ca.validTo) < nowMs);
  if (expired) faults.push(`an authority of ${texts.setting} has expired on ${expired.validTo}`);
  const other = texts.hosts.find((host) =>
    isIP(host) ? cert.checkIP(host) === undefined : cert.checkHost(host) === undefined,
  );
  if (other !== undefined)
    faults.push(`${texts.setting} does not name ${other} (it names ${cert.subjectAltName ?? cert.subject})`);
  return faults;
}
