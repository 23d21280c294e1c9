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
  const isGood = (ca: X509Certificate): boolean => Date.parse(ca.validTo) >= nowMs;
  // Intermediate authorities stand behind it, in whatever order (RFC 8446, 4.4.2).
  const behind = certificatesIn(texts.cert).slice(1);
  const expired = [...certificatesIn(texts.ca), ...behind].find((ca) => !isGood(ca));
  const authorities = certificatesIn(texts.ca).filter(isGood);
  const issued = (by: X509Certificate): boolean =>
    authorities.some((ca) => by.checkIssued(ca) && by.verify(ca.publicKey));
  for (const _ of behind)
    authorities.push(
      ...behind.filter((by) => by.ca && isGood(by) && !authorities.includes(by) && issued(by)),
    );
  // An expired one counts where no other stands for it: a new authority is trusted beside the old for a while.
  const also = expired ? `; one there has expired on ${expired.validTo}` : '';
  if (!issued(cert))
    faults.push(`${texts.setting} was not issued by an authority of its trusted CA file${also}`);
  const other = texts.hosts.find((host) =>
    isIP(host) ? cert.checkIP(host) === undefined : cert.checkHost(host) === undefined,
  );
  if (other !== undefined)
    faults.push(`${texts.setting} does not name ${other} (it names ${cert.subjectAltName ?? cert.subject})`);
  return faults;
}
