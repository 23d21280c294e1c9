import type { BareSituation } from './situation.ts';

/** What raft says when it is told that more is committed than its log has (etcd raft/log.go, commitTo). */
export const LOG_SHORT = /\btocommit\(\d+\) is out of range \[lastIndex\(\d+\)\]/;

/**
 * The words of an etcd that has ended with a panic because its log is too short: the only ones that may decide alone,
 * as no file shows it (src/diagnose/stale-proofs.ts). All others corroborate.
 */
export const panicOfShortLog = ({ crashed, unit, words }: BareSituation): string | undefined =>
  crashed && unit?.exitKind === 1 && unit.exitStatus === 2
    ? words.find((word) => LOG_SHORT.test(word))
    : undefined;

/** Its log ends before what it had acknowledged: its own files say so, or the panic with which it ended. */
export const isLogShort = (s: BareSituation): boolean => s.logShort || panicOfShortLog(s) !== undefined;
