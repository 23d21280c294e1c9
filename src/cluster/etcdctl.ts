import { parse as parseLossless } from 'lossless-json';
import * as v from 'valibot';
import type { TlsFiles } from '../machine/etcd/etcd-config.ts';
import { type RunResult, run } from '../machine/os/run.ts';
import { type Cluster, ClusterError } from './cluster.ts';
import {
  anyReply,
  hashKv,
  kvs,
  lease,
  leaseKept,
  memberAdded,
  memberList,
  memberReply,
  type ServesReply,
  servesByRefusal,
  status,
  transaction,
} from './replies.ts';
import { transientRefusals } from './transient-refusals.ts';

export interface EtcdctlOptions {
  readonly program: string;
  readonly tls: TlsFiles | undefined;
  /**
   * `user:password`, handed over in the environment of etcdctl, never in its arguments; undefined without
   * authentication. What it throws is why no call is made.
   */
  readonly credentials: () => string | undefined;
  /** A read that takes longer counts as no answer. */
  readonly readTimeoutMs: number;
}

const WRITE_TIMEOUT_MS = 10_000;

/** etcd's JSON holds 64-bit IDs as numbers: every whole number is read as a bigint. */
export const readJson = (text: string): unknown =>
  parseLossless(text, undefined, (number) => (/^-?\d+$/.test(number) ? BigInt(number) : Number(number)));

/** What etcdctl said went wrong: its last line that is not empty. */
const complaint = (result: RunResult): string =>
  result.timedOut
    ? 'context deadline exceeded'
    : result.stderr.trim().split('\n').at(-1) || `exit ${result.code}`;

/** The cluster as etcdctl reaches it (API 3): with every kind of certificate and credentials that etcd has. */
export function etcdctlCluster(options: EtcdctlOptions): Cluster {
  const environment = () => {
    try {
      const credentials = options.credentials();
      return { ETCDCTL_API: '3', ...(credentials ? { ETCDCTL_USER: credentials } : {}) };
    } catch (error) {
      throw new ClusterError((error as Error).message, false);
    }
  };
  const { tls } = options;
  const tlsFlags = tls ? [`--cacert=${tls.ca}`, `--cert=${tls.cert}`, `--key=${tls.key}`] : [];

  const call = async <S extends v.GenericSchema>(
    endpoints: readonly string[],
    words: readonly string[],
    schema: S,
    timeoutMs: number,
    input?: string,
  ): Promise<v.InferOutput<S>> => {
    const limits = [`--command-timeout=${timeoutMs}ms`, `--dial-timeout=${timeoutMs}ms`];
    const flags = [`--endpoints=${endpoints.join(',')}`, '--write-out=json', ...limits, ...tlsFlags];
    const result = await run([options.program, ...words, ...flags], {
      timeoutMs: timeoutMs + 300,
      env: environment(),
      input,
    });
    const what = `etcdctl ${words.slice(0, 2).join(' ')} at ${endpoints.join(',')}`;
    if (result.code !== 0) {
      const said = complaint(result);
      throw new ClusterError(
        `${what}: ${said}`,
        transientRefusals.some((row) => said.includes(row.says)),
      );
    }
    try {
      return v.parse(schema, readJson(result.stdout));
    } catch (error) {
      const got = result.stdout.slice(0, 200);
      throw new ClusterError(
        `${what}: the reply is not understood (${(error as Error).message}): ${got}`,
        false,
      );
    }
  };

  const readServes = (endpoint: string): Promise<ServesReply> =>
    call([endpoint], ['get', BIRTHMARK_KEY, '--consistency=l'], kvs, options.readTimeoutMs).then(
      (reply): ServesReply => ({ birthmark: reply.kvs[0]?.value ?? '' }),
      (error: Error) => servesByRefusal(error.message),
    );

  return {
    whyNotServing: async (endpoint) => {
      const read = await readServes(endpoint);
      return 'unavailableReason' in read ? read.unavailableReason : undefined;
    },
    ask: async (endpoint) => {
      const read = <S extends v.GenericSchema>(words: readonly string[], schema: S) =>
        call([endpoint], words, schema, options.readTimeoutMs);
      const served = await readServes(endpoint);
      const [list, state] = await Promise.all([
        read(['member', 'list'], memberList),
        read(['endpoint', 'status'], v.tuple([v.object({ Status: status })])),
      ]);
      return memberReply(list, state[0].Status, served);
    },
    removeMember: async (endpoints, memberId) => {
      const reply = await call(endpoints, ['member', 'remove', memberId], memberList, WRITE_TIMEOUT_MS);
      return reply.members;
    },
    addMember: async (endpoints, name, peerUrls) => {
      const words = ['member', 'add', name, `--peer-urls=${peerUrls.join(',')}`];
      const added = await call(endpoints, words, memberAdded, WRITE_TIMEOUT_MS);
      return { id: added.member.id, members: added.members };
    },
    get: async (endpoints, key) => (await call(endpoints, ['get', key], kvs, WRITE_TIMEOUT_MS)).kvs[0],
    putIfAbsent: async (endpoints, key, held) => {
      const put = `put ${key} ${held.value}${held.lease && ` --lease=${held.lease}`}`;
      const text = `create("${key}") = "0"\n\n${put}\n\n\n`;
      return (await call(endpoints, ['txn'], transaction, WRITE_TIMEOUT_MS, text)).succeeded;
    },
    grantLease: async (endpoints, ttlSec) =>
      (await call(endpoints, ['lease', 'grant', `${ttlSec}`], lease, WRITE_TIMEOUT_MS)).ID,
    keepAlive: async (endpoints, id) => {
      const words = ['lease', 'keep-alive', '--once', id];
      const { TTL } = await call(endpoints, words, leaseKept, WRITE_TIMEOUT_MS);
      if (TTL === 0n) throw new ClusterError(`lease ${id} has run out`, false);
    },
    revokeLease: async (endpoints, id) => {
      await call(endpoints, ['lease', 'revoke', id], anyReply, WRITE_TIMEOUT_MS);
    },
    hashKv: async (endpoint, revision, limitMs) => {
      const rows = v.tuple([v.object({ HashKV: hashKv })]);
      const words = ['endpoint', 'hashkv', `--rev=${revision}`];
      const [{ HashKV }] = await call([endpoint], words, rows, limitMs);
      return { hash: HashKV.hash, compactRevision: HashKV.compact_revision.toString() };
    },
    disarm: async () => {
      throw new ClusterError('etcdctl can disarm only all alarms of all members', false);
    },
  };
}

/** Its value is asked for with every linearizable read. */
export const BIRTHMARK_KEY = 'heal-node/birthmark';
