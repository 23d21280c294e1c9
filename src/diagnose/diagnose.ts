import type { Member } from '../cluster/cluster.ts';
import { rules } from './rules.ts';
import type { Situation } from './situation.ts';
import { type Verdict, verdictRow } from './verdicts.ts';

export interface Evidence {
  /** Where it was seen: a unit, a path, an endpoint. */
  readonly source: string;
  readonly text: string;
  /** When it was asked for, and how long that took. */
  readonly at: string;
  readonly tookMs: number;
}

/** What is wrong, or not, with one member. `diagnose --json` prints it as it is, see docs/json.md. */
export interface Diagnosis {
  readonly schema: 'heal-node.diagnosis/1';
  readonly verdict: Verdict;
  readonly reason: string;
  readonly means: string;
  /** What a person should do, where heal-node does not; empty where there is nothing to do. */
  readonly person: string;
  readonly evidence: readonly Evidence[];
  readonly node: {
    readonly name: string;
    readonly peerUrls: readonly string[];
    /** The ID that the cluster lists for this node; empty when it lists none. */
    readonly memberId: string;
  };
  readonly members: readonly Member[];
}

/** Pure: the first rule that holds. The last one always does. */
export function diagnose(situation: Situation): Diagnosis {
  for (const { verdict, reason, means, person, when } of rules) {
    const evidence = when(situation);
    if (evidence === undefined) continue;
    const { config, cluster, seen } = situation;
    const self = seen.self?.reply.ok ? seen.self.reply.value : undefined;
    const members = cluster.members.length > 0 ? cluster.members : (self?.members ?? []);
    return {
      schema: 'heal-node.diagnosis/1',
      verdict,
      reason,
      means,
      person: person ?? verdictRow(verdict).person ?? '',
      evidence: evidence.map(({ from, source, text }) => ({
        source,
        text,
        at: new Date(seen.stamps[from]?.atMs ?? seen.atMs).toISOString(),
        tookMs: seen.stamps[from]?.tookMs ?? 0,
      })),
      node: {
        name: config?.name ?? '',
        peerUrls: config?.peerUrls ?? [],
        memberId: cluster.own?.id ?? self?.memberId ?? '',
      },
      members,
    };
  }
  throw new Error('the last rule must always hold');
}
