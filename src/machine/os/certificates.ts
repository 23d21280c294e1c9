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
  const authorities = texts.ca
    .split(/(?<=-----END CERTIFICATE-----)/)
    .flatMap((pem) => attempt(() => new X509Certificate(pem)) ?? []);
  if (!authorities.some((ca) => cert.checkIssued(ca) && cert.verify(ca.publicKey)))
    faults.push(`${texts.setting} was not issued by an authority of its trusted CA file`);
  const expired = authorities.find((ca) => Date.parse(ca.validTo) < nowMs);
  if (expired) faults.push(`an authority of ${texts.setting} has expired on ${expired.validTo}`);
  const other = texts.hosts.find((host) =>
    isIP(host) ? cert.checkIP(host) === undefined : cert.checkHost(host) === undefined,
  );
  if (other !== undefined)
    faults.push(`${texts.setting} does not name ${other} (it names ${cert.subjectAltName ?? cert.subject})`);
  return faults;
}
