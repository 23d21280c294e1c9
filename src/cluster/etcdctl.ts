import { parse as parseLossless } from 'lossless-json';
import * as v from 'valibot';
import type { TlsFiles } from '../node/etcd-config.ts';
import { type RunResult, run } from '../node/run.ts';
import { type Cluster, ClusterError, type MemberReply } from './cluster.ts';
import { passingRefusals } from './passing-refusals.ts';

export interface EtcdctlOptions {
  readonly program: string;
  readonly tls: TlsFiles | undefined;
  /** `user:password`, handed over in the environment of etcdctl, never in its arguments. */
  readonly credentials: string | undefined;
  /** A read that takes longer counts as no answer. */
  readonly readTimeoutMs: number;
}

/** etcd's JSON holds 64-bit IDs as numbers: every whole number is read as a bigint. */
const readJson = (text: string): unknown =>
  parseLossless(text, undefined, (number) => (/^-?\d+$/.test(number) ? BigInt(number) : Number(number)));

const id = v.pipe(
  v.bigint(),
  v.transform((value) => BigInt.asUintN(64, value).toString(16)),
);
const number64 = v.optional(v.bigint(), 0n);
const texts = v.optional(v.array(v.string()), []);

const header = v.object({ cluster_id: id, member_id: id });

const member = v.pipe(
  v.object({ ID: id, name: v.optional(v.string(), ''), peerURLs: texts, clientURLs: texts }),
  v.transform((m) => ({ id: m.ID, name: m.name, peerUrls: m.peerURLs, clientUrls: m.clientURLs })),
);
const members = v.pipe(v.array(member), v.maxLength(100));
const memberList = v.object({ header, members });
const memberAdded = v.object({ member, members });

const endpointStatus = v.tuple([
  v.object({
    Status: v.object({
      header: v.object({ ...header.entries, revision: number64 }),
      version: v.optional(v.string(), ''),
      dbSize: number64,
      leader: v.optional(id, 0n),
      raftIndex: number64,
      raftTerm: number64,
    }),
  }),
]);

const endpointHashKv = v.array(
  v.object({ Endpoint: v.string(), HashKV: v.object({ hash: number64, compact_revision: number64 }) }),
);

/** What etcdctl said went wrong: its last line that is not empty. */
const complaint = (result: RunResult): string =>
  result.timedOut
    ? 'context deadline exceeded'
    : result.stderr.trim().split('\n').at(-1) || `exit ${result.code}`;

/** The cluster as etcdctl reaches it (API 3). */
export function etcdctlCluster(options: EtcdctlOptions): Cluster {
  const env = { ETCDCTL_API: '3', ...(options.credentials ? { ETCDCTL_USER: options.credentials } : {}) };
  const { tls } = options;
  const tlsFlags = tls ? [`--cacert=${tls.ca}`, `--cert=${tls.cert}`, `--key=${tls.key}`] : [];

  const call = async <S extends v.GenericSchema>(
    endpoints: readonly string[],
    words: readonly string[],
    schema: S,
    timeoutMs: number,
  ): Promise<v.InferOutput<S>> => {
    const limits = [`--command-timeout=${timeoutMs}ms`, `--dial-timeout=${timeoutMs}ms`];
    const argv = [
      options.program,
      ...words,
      `--endpoints=${endpoints.join(',')}`,
      '--write-out=json',
      ...limits,
      ...tlsFlags,
    ];
    const result = await run(argv, { timeoutMs: timeoutMs + 500, env });
    const what = `etcdctl ${words.slice(0, 2).join(' ')} at ${endpoints.join(',')}`;
    if (result.code !== 0) {
      const said = complaint(result);
      throw new ClusterError(
        `${what}: ${said}`,
        passingRefusals.some((row) => said.includes(row.says)),
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

  return {
    ask: async (endpoint): Promise<MemberReply> => {
      const read = <S extends v.GenericSchema>(words: readonly string[], schema: S) =>
        call([endpoint], words, schema, options.readTimeoutMs);
      const [list, status, linearizable] = await Promise.all([
        read(['member', 'list'], memberList),
        read(['endpoint', 'status'], endpointStatus),
        // A key that nobody writes, under our own prefix: only the round through the quorum matters.
        read(['get', 'heal-node/serves', '--consistency=l'], v.object({ header })).then(
          () => '',
          (error: Error) => error.message,
        ),
      ]);
      const { Status } = status[0];
      return {
        clusterId: list.header.cluster_id,
        memberId: list.header.member_id,
        members: list.members,
        leader: Status.leader,
        term: Status.raftTerm,
        raftIndex: Status.raftIndex,
        revision: Status.header.revision,
        dbSizeBytes: Number(Status.dbSize),
        version: Status.version,
        serves: linearizable === '',
        servesNot: linearizable,
      };
    },
    removeMember: async (endpoints, memberId) => {
      const reply = await call(endpoints, ['member', 'remove', memberId], memberList, 10_000);
      return reply.members;
    },
    addMember: async (endpoints, name, peerUrls) => {
      const added = await call(
        endpoints,
        ['member', 'add', name, `--peer-urls=${peerUrls.join(',')}`],
        memberAdded,
        10_000,
      );
      return { id: added.member.id, members: added.members };
    },
    hashKv: async (endpoints, revision) => {
      const rows = await call(endpoints, ['endpoint', 'hashkv', `--rev=${revision}`], endpointHashKv, 10_000);
      return rows.map((row) => ({
        endpoint: row.Endpoint,
        hash: row.HashKV.hash.toString(),
        compactRevision: row.HashKV.compact_revision.toString(),
      }));
    },
  };
}
