/** Certificates that are not as the app makes them: shell scripts for a machine's `ssl/etcd`. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../bed/bed.ts';
import type { TestMachine } from '../bed/machine.ts';
import { DNS } from '../bed/tls.ts';

const SSL = '/var/lib/etcd/ssl';
const KEPT = '/root/ssl';
const OWNED = `chown -R etcd:etcd ${SSL}; chmod 644 ${SSL}/etcd/*.pem; chmod 600 ${SSL}/etcd/*-key.pem`;

/** `leaf NAME CA CA_KEY`, and with two more words from when to when it is valid. */
const LEAF = `
leaf() {
  printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=%s\\nserial=%s\\nnew_certs_dir=%s\\ndefault_md=sha256\\npolicy=p\\nunique_subject=no\\nx509_extensions=e\\n[p]\\ncommonName=supplied\\n[e]\\nextendedKeyUsage=serverAuth,clientAuth\\nsubjectAltName=DNS:*${DNS}\\n' $dir/index $dir/serial $dir >$dir/ca.cnf
  : >$dir/index; openssl rand -hex 8 >$dir/serial
  openssl req -newkey rsa:2048 -nodes -keyout $1-key.pem -out $dir/csr -subj /CN=$1 2>/dev/null
  openssl ca -batch -notext -config $dir/ca.cnf -cert $2 -keyfile $3 -in $dir/csr -out $1.pem -startdate $4 -enddate $5 2>/dev/null
}
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $2 -out $1 -days 36500 -subj /CN=$3 2>/dev/null; }
dir=$(mktemp -d); cd ${SSL}/etcd
`;

const PAST = '20200101000000Z 20200201000000Z';
const NOW = '20200101000000Z 21200101000000Z';

/** Its server's and peer's certificates have run out. */
export const expire = (machine: TestMachine): Promise<string> =>
  machine.sh(
    `set -e; cp -a ${SSL} ${KEPT}; ${LEAF} for name in server peer; do leaf $name ca.pem ca-key.pem ${PAST}; done; ${OWNED}`,
  );

/** All its certificates are good, of an authority that nobody else has. */
export const fromAnotherAuthority = (machine: TestMachine): Promise<string> =>
  machine.sh(
    `set -e; cp -a ${SSL} ${KEPT}; ${LEAF} authority ca.pem ca-key.pem CA; for name in server peer client; do leaf $name ca.pem ca-key.pem ${NOW}; done; ${OWNED}`,
  );

/** Its certificates as they were before. */
export const putBack = (machine: TestMachine): Promise<string> =>
  machine.sh(`set -e; test -d ${KEPT} || exit 0; rm -rf ${SSL}; mv ${KEPT} ${SSL}`);

/** All nodes have, before the app looks for any, certificates of an intermediate authority, which stands behind each. */
export async function withIntermediate(bed: Bed): Promise<void> {
  const [first, ...rest] = bed.machines as [TestMachine, ...TestMachine[]];
  await first.sh(
    `set -e; mkdir -p ${SSL}/etcd; ${LEAF} authority ca.pem ca-key.pem Root; ` +
      'openssl req -newkey rsa:2048 -nodes -keyout $dir/between-key.pem -out $dir/csr -subj /CN=Between 2>/dev/null; ' +
      "printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign,cRLSign\\n' >$dir/ext; " +
      'openssl x509 -req -in $dir/csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -CAserial $dir/ser -days 36500 -extfile $dir/ext -out $dir/between.pem 2>/dev/null; ' +
      `for name in server peer client; do leaf $name $dir/between.pem $dir/between-key.pem ${NOW}; cat $dir/between.pem >>$name.pem; done; ` +
      `mkdir -p /srv/nodes/metadata; for pair in caPem=ca clientPem=client clientKeyPem=client-key; do base64 \${pair#*=}.pem >/srv/nodes/metadata/\${pair%%=*}; done; ${OWNED}`,
  );
  for (const each of rest) {
    cpSync(join(first.dataDisk, 'ssl'), join(each.dataDisk, 'ssl'), { recursive: true });
    await each.sh(OWNED);
  }
}

/** The client beside the machines has a certificate without a common name: etcd's gateway takes none with one. */
export async function nameless(bed: Bed): Promise<void> {
  const dir = bed.clientCertificates();
  if (dir === undefined) throw new Error('the bed is not in TLS mode');
  await bed
    .machine(1)
    .sh(
      `set -e; mkdir -p /srv/nodes/nameless; cd /srv/nodes/nameless; openssl req -newkey rsa:2048 -nodes -keyout client-key.pem -out csr -subj /O=kinds 2>/dev/null; ` +
        `openssl x509 -req -in csr -CA ${SSL}/etcd/ca.pem -CAkey ${SSL}/etcd/ca-key.pem -CAcreateserial -CAserial ser -days 9 -extfile /dev/stdin -out client.pem <<X 2>/dev/null\nextendedKeyUsage=clientAuth\nX`,
    );
  for (const name of ['client.pem', 'client-key.pem'])
    cpSync(join(bed.slot.dir, 'nodes/nameless', name), join(dir, name));
}
