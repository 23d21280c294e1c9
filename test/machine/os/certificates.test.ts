import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFaults } from '../../../src/machine/os/certificates.ts';

const text = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'recorded/certificates', name), 'utf8');
type CertificateTexts = Parameters<typeof certificateFaults>[0];
const NOW = Date.parse('2027-06-01');
const good: CertificateTexts = {
  setting: 'ETCD_CERT_FILE',
  cert: text('server.pem'),
  key: text('server-key.pem'),
  ca: text('ca.pem'),
  hosts: ['10.0.0.2', 'etcd2.cl-1'],
};

/** Issued by an authority that another has issued, which that of the CA file has; both stand behind it. */
const chain: CertificateTexts = {
  ...good,
  cert: text('chain.pem'),
  key: text('chain-key.pem'),
  ca: text('chain-ca.pem'),
};
const END = '-----END CERTIFICATE-----\n';
const inChain = chain.cert.split(END).map((pem) => pem + END);

const cases: readonly (readonly [
  what: string,
  changes: Partial<CertificateTexts>,
  fault: RegExp,
  nowMs?: number,
])[] = [
  ['expired', { cert: text('short.pem') }, /ETCD_CERT_FILE has expired on /],
  ['not valid yet', {}, /ETCD_CERT_FILE is valid only from /, Date.parse('2020-01-01')],
  ['of another authority', { ca: text('other-ca.pem') }, /not issued by an authority/],
  ['without the authority that issued it', { ...chain, cert: `${inChain[0]}${inChain[2]}` }, /not issued by/],
  ['without the one above that', { ...chain, cert: `${inChain[0]}${inChain[1]}` }, /not issued by/],
  [
    'an authority that has expired',
    { ca: text('old-ca.pem') },
    /not issued by .*; one there has expired on /,
  ],
  ['its chain leads to another authority', { ...chain, ca: good.ca }, /not issued by/],
  [
    'what stands behind it is no authority',
    { ...good, cert: good.cert.repeat(2), ca: chain.ca },
    /not issued/,
  ],
  ['another key', { key: text('other-key.pem') }, /belongs to another certificate/],
  ['no key', { key: 'garbage' }, /the key of ETCD_CERT_FILE cannot be read as one/],
  ['no certificate', { cert: '' }, /holds no certificate/],
  ['another address', { hosts: ['10.0.0.9'] }, /does not name 10\.0\.0\.9/],
  ['another name', { hosts: ['etcd9.cl-1'] }, /does not name etcd9\.cl-1/],
];

test('nothing is wrong with a good one, whichever of its authorities issued it', () => {
  assert.equal(certificateFaults(good, NOW), []);
  assert.equal(certificateFaults({ ...good, ca: text('other-ca.pem') + text('ca.pem') }, NOW), []);
});

test('nor with one whose intermediate authorities stand behind it', () => {
  assert.equal(certificateFaults(chain, NOW), []);
  assert.equal(certificateFaults({ ...chain, cert: `${inChain[0]}${inChain[2]}${inChain[1]}` }, NOW), []);
});

test('nor where an authority that has expired is trusted beside the one that issued it', () => {
  assert.equal(certificateFaults({ ...good, ca: text('old-ca.pem') + good.ca }, NOW), []);
});

for (const [what, changes, fault, nowMs = NOW] of cases) {
  test(what, () => {
    const faults = certificateFaults({ ...good, ...changes }, nowMs);
    assert.ok(
      faults.some((text) => fault.test(text)),
      faults.join('; '),
    );
  });
}

test.run();
