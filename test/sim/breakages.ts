import { at, copyOf, type Data } from '../fake/log.ts';
import type { FakeNode } from '../fake/node.ts';
import { DATA_DIR, ETCD_RIGHTS, WAL, WAL_DIR } from '../fake/paths.ts';

const changesWal =
  (changes: (data: Data, node: FakeNode) => Partial<Data>) =>
  (node: FakeNode): void => {
    const { data } = node;
    if (data) node.disk.set(WAL, { data: copyOf(data, changes(data, node)), rights: ETCD_RIGHTS });
  };

/** Ways in which a node that is off can have become stale. */
export const breakages: Readonly<Record<string, (node: FakeNode) => void>> = {
  'its data dir is gone': ({ disk }) => disk.delete(DATA_DIR),
  'its WAL is gone': ({ disk }) => disk.delete(WAL_DIR),
  'a record of its WAL has another checksum': changesWal(() => ({ harm: 'crc mismatch' })),
  'a record of its WAL is none any more': changesWal(() => ({ harm: 'garbled record' })),
  'a file of its WAL is missing': changesWal(() => ({ harm: 'WAL file missing' })),
  'its database is damaged': changesWal(() => ({ harm: 'database invalid' })),
  'its database is cut short': changesWal(() => ({ harm: 'database cut short' })),
  'its data are an older copy': changesWal((data, { world }) => {
    const last = at(data.last, world.random.between(5, Math.max(5, data.last.index - 2)));
    const committed = at(data.committed, last.index);
    return last === data.last ? {} : { last, committed, term: last.term, older: true };
  }),
};
