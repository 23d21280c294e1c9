import * as v from 'valibot';
import type { Alarm, Member } from './cluster.ts';
import credentialRefusals from './credential-refusals.json';

/**
 * etcd's replies (etcdserver/etcdserverpb/rpc.proto), untrusted. 64-bit numbers come as bigints from etcdctl's
 * JSON, read without loss, and as text from the gateway's, which is protobuf's own JSON.
 */
const number64 = v.pipe(
  v.optional(v.union([v.bigint(), v.pipe(v.string(), v.regex(/^-?\d{1,20}$/))]), 0n),
  v.transform((value) => BigInt(value)),
);

/** IDs as hexadecimal text, as etcdctl prints them. */
const hex = (value: bigint): string => BigInt.asUintN(64, value).toString(16);
const id = v.pipe(number64, v.transform(hex));

const texts = v.optional(v.array(v.string()), []);
const flag = v.optional(v.boolean(), false);

const header = v.object({ cluster_id: id, member_id: id, revision: number64 });

const member = v.pipe(
  v.object({ ID: id, name: v.optional(v.string(), ''), peerURLs: texts, clientURLs: texts, isLearner: flag }),
  v.transform(({ ID: id, peerURLs: peerUrls, clientURLs: clientUrls, ...rest }) => {
    return { id, peerUrls, clientUrls, ...rest };
  }),
);

const members = v.pipe(v.array(member), v.maxLength(100));

export const memberList = v.object({ header, members });
export const memberAdded = v.object({ member, members });
export const anyReply = v.looseObject({});

export const status = v.object({
  header,
  version: v.optional(v.string(), ''),
  dbSize: number64,
  leader: id,
  raftIndex: number64,
  raftTerm: number64,
  // etcd 3.4: a missing leader and every alarm, as text (etcdserver/api/v3rpc/maintenance.go, Status).
  errors: texts,
});

export const lease = v.object({ ID: id });
/**
 * One answer of the stream, which the gateway wraps; a TTL of 0 is that of a lease that has run out (rpc.proto,
 * LeaseKeepAliveResponse).
 */
const kept = v.object({ ID: id, TTL: number64 });
export const leaseKept = v.union([v.object({ result: kept }), kept]);
/** They are asked for with every linearizable read: whoever sends them has answered it. Ours are few, and far shorter. */
export const TOO_LONG =
  'the keys under heal-node/ are too many, or too long (one more than 7500 bytes, or all more than 1 MiB), to be read; `etcdctl get --prefix --keys-only heal-node/` names them, delete what does not belong there by `etcdctl del KEY` (docs/runbook.md says how etcdctl is called here)';
const text64 = v.pipe(v.string(), v.maxLength(10_000, TOO_LONG), v.base64('not base64'), v.transform(atob));
const word = v.optional(text64, '');
const kv = v.object({ key: word, value: word, lease: id, mod_revision: number64 });
export const kvs = v.object({ header, kvs: v.optional(v.array(kv), []), more: flag });
export const transaction = v.object({ header, succeeded: flag });

/** `memberID:10501334649042878790 alarm:NOSPACE `: the text of an AlarmMember, which leaves out an ID that is 0. */
const alarmsOf = (errors: readonly string[]): readonly Alarm[] =>
  errors.flatMap((text) => {
    const [, memberId = '0', alarm] = /^(?:memberID:(\d{1,20}) )?alarm:([A-Z]+)/.exec(text.trim()) ?? [];
    return alarm ? [{ memberId: BigInt(memberId).toString(16), alarm }] : [];
  });

/** The hash is the one number of 32 bits here: protobuf's own JSON has that as a number, and not as text. */
export const hashKv = v.object({
  hash: v.pipe(v.union([v.bigint(), v.number()]), v.transform(String)),
  compact_revision: number64,
});

/** What a linearizable read says of the member that was asked, and of the cluster. */
export interface ServesReply {
  /** Why it does not serve; empty when it does. */
  readonly unavailableReason: string;
  /** Authentication is on, and our credentials are missing or refused: what it said. Empty otherwise. */
  readonly credentialsRefused: string;
  /** The cluster's birthmark (src/act/birthmark.ts); empty when it has none. */
  readonly birthmark: string;
  /** At which revision that was put; absent without one. */
  readonly birthmarkRevision?: bigint;
  /** The one that this node remembers stood there, and somebody has deleted it: asked for where none is shown. */
  readonly deletedBirthmark?: string;
  /** Who has paused heals in the whole cluster, until when and why, as a sentence; absent where nobody has. */
  readonly pause?: string;
}

/** It serves, and shows no birthmark. */
export const SERVES: ServesReply = { unavailableReason: '', credentialsRefused: '', birthmark: '' };

/**
 * What a refusal of a linearizable read says of the member that refused. Those for want of credentials come after the wait
 * for the leader (etcdserver/v3_server.go, Range and doSerialize; their texts are those of
 * etcdserver/api/v3rpc/rpctypes/error.go): whoever refuses so, serves.
 */
export const servesByRefusal = (said: string): ServesReply =>
  credentialRefusals.some((text) => said.includes(text))
    ? { ...SERVES, credentialsRefused: said }
    : said.includes(TOO_LONG) || /sends more than \d/.test(said)
      ? { ...SERVES, pause: TOO_LONG }
      : { ...SERVES, unavailableReason: said };

/** One member's answer from its three replies. */
export function memberReply(
  list: v.InferOutput<typeof memberList>,
  state: v.InferOutput<typeof status>,
  read: ServesReply,
  clockSkewMs?: number,
) {
  const members: readonly Member[] = list.members;
  return {
    clusterId: list.header.cluster_id,
    memberId: list.header.member_id,
    members,
    /** `0` when it knows no leader. */
    leader: state.leader,
    term: state.raftTerm,
    raftIndex: state.raftIndex,
    revision: state.header.revision,
    dbSizeBytes: Number(state.dbSize),
    version: state.version,
    /** Alarms raised anywhere, as this member knows them. */
    alarms: alarmsOf(state.errors),
    /** Its clock less ours, in milliseconds to the second; undefined where the reply carries no date. */
    clockSkewMs,
    /**
     * A linearizable read was answered: it serves, whatever `/health` says (an alarm turns that false everywhere). A
     * refusal for want of credentials is such an answer: it comes after the wait for the leader.
     */
    serves: read.unavailableReason === '',
    ...read,
  };
}
