import { createHash } from 'node:crypto';

const known = new Map<string, string>();

/** The first eight bytes of a SHA-1, as etcdctl prints an ID. */
function first8(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest().readBigUInt64BE().toString(16);
}

/**
 * The ID of a member (etcd 3.4: etcdserver/api/membership/member.go, newMember): made of its sorted peer URLs and the
 * cluster's token, so that each founder knows those of all; of the second in which it is added too, so that who is
 * added again is another.
 */
export function memberId(peerUrls: readonly string[], token: string, addedSec?: number): string {
  const text = `${peerUrls.toSorted().join('')}${token}${addedSec ?? ''}`;
  const found = known.get(text) ?? first8(Buffer.from(text));
  known.set(text, found);
  return found;
}

/** The ID of a cluster: made of its founders' (the same, cluster.go, genID). */
export function clusterId(memberIds: readonly string[]): string {
  const sorted = memberIds.map((id) => BigInt(`0x${id}`)).sort((a, b) => (a < b ? -1 : 1));
  const text = sorted.join(' ');
  const found = known.get(text);
  if (found !== undefined) return found;
  const bytes = Buffer.alloc(8 * sorted.length);
  for (const [i, id] of sorted.entries()) bytes.writeBigUInt64BE(id, 8 * i);
  const made = first8(bytes);
  known.set(text, made);
  return made;
}
