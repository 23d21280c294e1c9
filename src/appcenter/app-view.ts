import { parse } from 'dotenv';
import { ETCD_ROLE, PROXY_ROLE } from './roles.ts';

/** The app's view of the cluster (`/opt/app/bin/.env`), as far as heal-node asks for it. */
export interface AppView {
  readonly role: string;
  readonly sid: string;
  /** Nodes by ID and address; the app rewrites them from the metadata while it runs. */
  readonly nodes: readonly { readonly sid: string; readonly ip: string }[];
  /** TLS is on (`ETCD_ENABLE_TLS`). */
  readonly tls: boolean;
  readonly isDeleted: boolean;
  readonly isAdded: boolean;
  /** Nodes that come or go right now. */
  readonly added: readonly string[];
  readonly deleted: readonly string[];
}

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter(Boolean);

/** @throws when the text names no role: then nobody can say what this node is. */
export function parseAppView(text: string, place: string): AppView {
  const env = parse(text);
  const role = env.MY_ROLE ?? '';
  if (role !== ETCD_ROLE && role !== PROXY_ROLE) {
    throw new Error(`${place}: MY_ROLE=${role} is not known; known are ${ETCD_ROLE} and ${PROXY_ROLE}.`);
  }
  return {
    role,
    sid: env.MY_SID ?? '',
    nodes: words(env.STABLE_NODES).flatMap((word) => {
      const [sid, ip] = word.split('=');
      return sid && ip ? [{ sid, ip }] : [];
    }),
    tls: env.ETCD_ENABLE_TLS === 'true',
    isDeleted: env.IS_DELETED === 'true',
    isAdded: env.IS_ADDED === 'true',
    added: words(env.ADDED_NODES),
    deleted: words(env.DELETED_NODES),
  };
}
