import type { Bed } from '../bed/bed.ts';

/**
 * How often member 2 has published itself in vain since then. A snapshot that a joiner receives replaces its peers, and
 * what it sends just then is lost; it sends it again after 7 s (etcdserver/server.go, publish; config.go, ReqTimeout).
 */
export async function lostPublications(bed: Bed, sinceMs: number): Promise<number> {
  const since = (sinceMs / 1000).toFixed(3);
  const lost = await bed
    .machine(2)
    .sh(`journalctl -u etcd -u etcd1 --no-pager --since=@${since} | grep -c 'publish error' || true`);
  return Number(lost);
}

const howMany = (lost: readonly number[]): string =>
  `${lost.filter((times) => times > 0).length} of ${lost.length}`;

/** What a reader has to know of heals and runbooks some of which have waited for that. */
export const publicationsNote = (ours: readonly number[], bare: readonly number[]): string =>
  `etcd lost what the new member first said of itself, and said it again 7 s later, in ${howMany(ours)} heals and ${howMany(bare)} runbooks: where it happens it outweighs all else.`;
