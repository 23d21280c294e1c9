import { wordsOf } from '../words/words.ts';
import { allOf } from './evidence.ts';
import { rules } from './rules.ts';
import type { Situation } from './situation.ts';
import { type Verdict, verdicts } from './verdicts.ts';

/**
 * What is wrong, or not, with one member: the first rule that holds, and the last one always does. Pure. `diagnose --json`
 * prints it as it is, see docs/json.md.
 */
export function diagnose(situation: Situation) {
  for (const [reason, { response, when, shows }] of Object.entries(rules)) {
    const found = when(situation);
    if (!found) continue;
    const verdict = reason.slice(0, reason.indexOf('/')) as Verdict;
    const evidence = allOf(found !== true && found, ...shows.map((show) => show(situation)));
    const { means, advice } = wordsOf(reason);
    const { config, cluster, observed, self } = situation;
    const members = cluster.members.length > 0 ? cluster.members : (self?.members ?? []);
    // The ID that the cluster lists for this node; empty when it lists none.
    const memberId = cluster.own?.id ?? self?.memberId ?? '';
    return {
      schema: 'heal-node.diagnosis/2' as const,
      verdict,
      reason,
      means,
      /** What the health action does about it. */
      response: response ?? verdicts[verdict],
      /** What a person should do, where heal-node does not; empty where there is nothing to do. */
      advice,
      evidence: evidence.map(({ from, source, text }) => {
        // When it was asked for, and how long that took.
        const { atMs, tookMs } = observed.stamps[from] ?? { atMs: observed.atMs, tookMs: 0 };
        return { source, text, at: new Date(atMs).toISOString(), tookMs };
      }),
      node: { name: config?.name ?? '', peerUrls: config?.peerUrls ?? [], memberId },
      members,
    };
  }
  throw new Error('the last rule must always hold');
}
