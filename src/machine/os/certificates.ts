import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { attempt } from '../attempt.ts';
import type { EtcdConfig } from '../etcd/etcd-config.ts';

const certificatesIn = (pem: string): X509Certificate[] =>
  pem.split(/(?<=-----END CERTIFICATE-----)/).flatMap((one) => attempt(() => new X509Certificate(one)) ?? []);

/**
 * When a certificate is good no more, in milliseconds since 1970: it, an authority that stands behind it, or the last of
 * its CA file has ended. Not finite where one of the texts holds none.
 */
export const endsMs = (cert: string, ca: string): number => {
  const ends = (pem: string): number[] => certificatesIn(pem).map(({ validTo }) => Date.parse(validTo));
  return Math.min(...ends(cert), Math.max(...ends(ca)));
};

/**
 * What would make TLS fail with it: dates, chain, key, names. Pure; empty when nothing is wrong.
 * @param texts one certificate as etcd's settings name it, with its texts in the place of their paths
 */
export function certificateFaults(texts: EtcdConfig['certificates'][number], nowMs: number): string[] {
  const { setting } = texts;
  const cert = attempt(() => new X509Certificate(texts.cert));
  if (cert === undefined) return [`${setting} holds no certificate`];
  const key = attempt(() => createPrivateKey(texts.key));
  const isGood = (ca: X509Certificate): boolean => Date.parse(ca.validTo) >= nowMs;
  // Intermediate authorities stand behind it, in whatever order (RFC 8446, 4.4.2).
  const behind = certificatesIn(texts.cert).slice(1);
  const expired = [...certificatesIn(texts.ca), ...behind].find((ca) => !isGood(ca));
  const authorities = certificatesIn(texts.ca).filter(isGood);
  const issued = (by: X509Certificate): boolean =>
    authorities.some((ca) => by.checkIssued(ca) && by.verify(ca.publicKey));
  const isNext = (by: X509Certificate): boolean =>
    by.ca && isGood(by) && !authorities.includes(by) && issued(by);
  for (const _ of behind) authorities.push(...behind.filter(isNext));
  // An expired one counts where no other stands for it: a new authority is trusted beside the old for a while.
  const also = expired ? `; one there has expired on ${expired.validTo}` : '';
  const named = (host: string) => (isIP(host) ? cert.checkIP(host) : cert.checkHost(host));
  const other = texts.hosts.find((host) => named(host) === undefined);
  const faults = [
    Date.parse(cert.validTo) < nowMs && `${setting} has expired on ${cert.validTo}`,
    Date.parse(cert.validFrom) > nowMs && `${setting} is valid only from ${cert.validFrom}`,
    !key && `the key of ${setting} cannot be read as one`,
    key && !cert.checkPrivateKey(key) && `the key of ${setting} belongs to another certificate`,
    !issued(cert) && `${setting} was not issued by an authority of its trusted CA file${also}`,
    other !== undefined &&
      `${setting} does not name ${other} (it names ${cert.subjectAltName ?? cert.subject})`,
  ];
  return faults.filter((fault) => typeof fault === 'string');
}
