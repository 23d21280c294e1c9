import type { Member } from '../cluster/cluster.ts';
import type { Evidence } from './evidence.ts';
import { rules } from './rules.ts';
import type { Situation } from './situation.ts';
import { type Response, type Verdict, verdictRow } from './verdicts.ts';

interface ReportedEvidence extends Omit<Evidence, 'from'> {
  /** When it was asked for, and how long that took. */
  readonly at: string;
  readonly tookMs: number;
}

/** What is wrong, or not, with one member. `diagnose --json` prints it as it is, see docs/json.md. */
export interface Diagnosis {
  readonly schema: 'heal-node.diagnosis/2';
  readonly verdict: Verdict;
  readonly reason: string;
  readonly means: string;
  /** What the health action does about it. */
  readonly response: Response;
  /** What a person should do, where heal-node does not; empty where there is nothing to do. */
  readonly advice: string;
  readonly evidence: readonly ReportedEvidence[];
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
  for (const { verdict, reason, means, advice, response, when } of rules) {
    const evidence = when(situation);
    if (evidence === undefined) continue;
    const { config, cluster, observed, self } = situation;
    const members = cluster.members.length > 0 ? cluster.members : (self?.members ?? []);
    return {
      schema: 'heal-node.diagnosis/2',
      verdict,
      reason,
      means,
      response: response ?? verdictRow(verdict).response,
      advice: advice ?? verdictRow(verdict).advice ?? '',
      evidence: evidence.map(({ from, source, text }) => ({
        source,
        text,
        at: new Date(observed.stamps[from]?.atMs ?? observed.atMs).toISOString(),
        tookMs: observed.stamps[from]?.tookMs ?? 0,
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
