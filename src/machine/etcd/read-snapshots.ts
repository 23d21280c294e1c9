import type { HeldDir } from '../os/held-dir.ts';
import { BoundedFile, type Budget } from './bounded-file.ts';
import { updateCrc } from './crc32c.ts';
import { BYTES, readMessage, VARINT } from './protobuf.ts';

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

/** What a snapshot file holds, or undefined when etcd would set it aside as `.broken`. */
function parseSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const snapshot = { index: 0, term: 0 };
  let [crc, from, to] = [0, 0, 0];
  const whole = readMessage(bytes, 0, bytes.length, FILE, (field, value, start, end) => {
    if (field === 1) crc = value % 2 ** 32;
    if (field === 2) [from, to] = [start, end];
  });
  if (!whole || from === to || crc === 0 || updateCrc(0, bytes, from, to) !== crc) return undefined;
  let decoded = true;
  decoded &&= readMessage(bytes, from, to, SNAPSHOT, (field, _, start, end) => {
    if (field !== 2) return;
    decoded &&= readMessage(bytes, start, end, METADATA, (inner, value) => {
      if (inner === 2) snapshot.index = value;
      if (inner === 3) snapshot.term = value;
    });
  });
  return decoded ? snapshot : undefined;
}

/**
 * The newest snapshot that the log knows of, which etcd starts from (etcdserver/api/snap/snapshotter.go,
 * `LoadNewestAvailable`).
 * @param recorded those of the log that are not newer than its commit index
 * @throws what reading throws
 */
export function newestSnapshot(
  dir: HeldDir,
  names: readonly string[],
  recorded: readonly Snapshot[],
  budget: Budget,
): Snapshot | undefined {
  const known = ({ index, term }: Snapshot) =>
    recorded.some((one) => one.index === index && one.term === term);
  for (const name of names.filter((each) => each.endsWith('.snap')).toReversed()) {
    const held = dir.openFile(name);
    if (held === undefined) continue;
    try {
      const file = new BoundedFile(held, budget);
      const named = /^([0-9a-f]{16})-([0-9a-f]{16})\.snap$/.exec(name);
      const snapshot =
        file.size > MAX_BYTES && named
          ? { term: Number(`0x${named[1]}`), index: Number(`0x${named[2]}`) }
          : parseSnapshot(file.bytes(0, file.size));
      // A broken one is renamed to `.broken`, and the next older is tried.
      if (snapshot !== undefined && known(snapshot)) return snapshot;
    } finally {
      held.close();
    }
  }
  return undefined;
}
