import { CLIENT_TLS_DIR } from '../machine/etcd/etcd-config.ts';

export const certificatePath = (name: string): string => `${CLIENT_TLS_DIR}/${name}.pem`;
/** The app's certificates and keys, the same on every node: without these etcd does not start, or nobody can call it. */
export const CERTIFICATES = ['ca', 'client', 'client-key', 'server', 'server-key', 'peer', 'peer-key'];
/** etcd does not need it; the app's own start waits for it as well (docs/platform.md). */
export const CA_KEY = 'ca-key';
