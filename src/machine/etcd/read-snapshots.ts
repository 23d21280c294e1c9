import { buf as crc32c } from 'crc-32/crc32c.js';
import type { HeldDir } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';
import { BYTES, fieldsOf, VARINT } from './protobuf.ts';

/** etcdserver/api/snap/snappb/snap.proto and raft/raftpb/raft.proto, `Snapshot`, `SnapshotMetadata`. */
const FILE = { 1: VARINT, 2: BYTES } as const;
const SNAPSHOT = { 1: BYTES, 2: BYTES } as const;
const METADATA = { 1: BYTES, 2: VARINT, 3: VARINT } as const;
/** A larger one is believed by its name: it holds the members and the keys of etcd's old store alone. */
const MAX_BYTES = 16 << 20;

export interface Snapshot {
  readonly index: number;
  readonly term: number;
}

/** What a snapshot file holds, or undefined when etcd would rename it to `.broken` and take an older one. */
function parseSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const file = fieldsOf(bytes, FILE);
  const data = file?.bytes(2) ?? new Uint8Array();
  const crc = file?.numbers[1] ?? 0;
  if (data.length === 0 || crc === 0 || crc32c(data) >>> 0 !== crc) return undefined;
  const snapshot = fieldsOf(data, SNAPSHOT);
  const metadata = snapshot && fieldsOf(snapshot.bytes(2), METADATA);
  return metadata && { index: metadata.numbers[2] ?? 0, term: metadata.numbers[3] ?? 0 };
}

/**
 * The newest snapshot that the log knows of, which etcd starts from (etcdserver/api/snap/snapshotter.go,
 * `LoadNewestAvailable`).
 * @param recorded those of the log that are not newer than its commit index
 * @throws what reading throws
 */
export function newestSnapshot(dir: HeldDir, recorded: readonly Snapshot[], budget: Budget) {
  for (const name of dir.names().toReversed()) {
    if (!name.endsWith('.snap')) continue;
    const named = /^([0-9a-f]{16})-([0-9a-f]{16})\.snap$/.exec(name);
    using held = dir.openFile(name);
    if (held === undefined) continue;
    const found =
      held.size > MAX_BYTES && named
        ? { term: Number(`0x${named[1]}`), index: Number(`0x${named[2]}`) }
        : parseSnapshot(new BoundedFile(held, budget).bytes(0, held.size));
    if (found && recorded.some(({ index, term }) => index === found.index && term === found.term))
      return found;
  }
  return undefined;
}
