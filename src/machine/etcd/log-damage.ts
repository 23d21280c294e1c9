import type { Damage } from './examination.ts';
import type { Snapshot } from './read-snapshots.ts';
import type { LogScan, Segment } from './scan-log.ts';

/**
 * What etcd refuses in a log that was read to its end, when it starts from `snapshot` (etcd 3.4: wal/wal.go `Open`
 * and `ReadAll`; raft/raft.go `loadState`, raft/storage.go).
 */
export function damageOfLog(segments: readonly Segment[], log: LogScan, snapshot: Snapshot): Damage[] {
  const damage: Damage[] = [];
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) return damage;
  const say = (file: string, what: string): number => damage.push({ file, what });

  // wal/util.go: `searchIndex`, then `isValidSeq`, which takes no notice of a gap behind sequence 0.
  const from = segments.findLastIndex(({ index }) => index <= snapshot.index);
  const begins = `the log begins at index ${first.index}, the snapshot is at ${snapshot.index}`;
  if (from < 0) say(first.name, `file not found: ${begins}`);
  const gap = segments.find(({ sequence }, n) => {
    const before = segments[n - 1]?.sequence ?? 0;
    return n > from && before !== 0 && sequence !== before + 1;
  });
  if (gap) say(gap.name, 'file not found: the file before it is missing');
  for (const { readFrom, ...problem } of log.problems) if (from <= readFrom) damage.push(problem);
  // What follows is about a log that was read to its end.
  if (damage.length > 0) return damage;

  if (log.jump > snapshot.index + 1) say(last.name, `entries before index ${log.jump} are missing`);
  const other = log.snapshots.find(({ index, term }) => index === snapshot.index && term !== snapshot.term);
  const recorded = other && `index ${other.index} in term ${other.term}`;
  if (recorded) say(last.name, `snapshot mismatch: ${recorded}, the file's in ${snapshot.term}`);
  if (log.metadataIn < from || log.memberId === '0') say(last.name, 'it does not say whose data these are');
  const lastIndex = Math.max(log.lastEntry, snapshot.index);
  const isEmpty = log.term === 0 && log.commit === 0;
  if (!isEmpty && (log.commit < snapshot.index || log.commit > lastIndex))
    say(last.name, `state.commit ${log.commit} is out of range [${snapshot.index}, ${lastIndex}]`);
  return damage;
}
