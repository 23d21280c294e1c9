import { claim } from '../../cluster/claim.ts';
import { type Comparison, compareData } from '../../cluster/compare-data.ts';
import { estimatedCost, waitAfter } from '../../cluster/comparison-allowance.ts';
import type { Situation } from '../../diagnose/situation.ts';
import type { World } from '../../observe/world.ts';
import type { Settings } from '../../settings/settings-table.ts';
import { type DeepCheckResult, deepCheckFile, differs, notCompared } from '../../state/deep-check-file.ts';

/** Held by the one node that compares right now; gone by itself. */
const LOCK_KEY = 'heal-node/deep-check';
const LOCK_SEC = 30;

/** When members were asked for their hashes, and what that took. */
type Asking = NonNullable<DeepCheckResult['comparison']>;

type Member = Situation['cluster']['serving'][number];

export interface Compared {
  /** What is to be written down: what has been found now, or, where nobody was asked, what was found last. */
  readonly result: DeepCheckResult;
  /** Why nobody was asked for a hash this time, or in vain; undefined where they were. */
  readonly notAsked?: string;
}

/**
 * This member's hash against those of the others, which must agree among themselves.
 * @param before a difference that stands: the others may agree by now because one was healed from the wrong one of them
 */
function judge(
  found: Comparison['found'],
  self: Member,
  others: readonly Member[],
  before: DeepCheckResult | undefined,
): Pick<DeepCheckResult, 'state' | 'confirmed' | 'text'> {
  const as = (state: 'equal' | 'split' | 'unknown', text: string) => ({ state, confirmed: false, text });
  if (typeof found === 'string') return as('unknown', `it could not be compared: ${found}`);
  const own = found.hashes.get(self.endpoint);
  const [theirs, ...more] = new Set(others.map(({ endpoint }) => found.hashes.get(endpoint)));
  const at = `at revision ${found.revision}`;
  if (more.length > 0) return as('split', `the others differ among themselves ${at}`);
  if (own === theirs)
    return as('equal', `its data equal those of ${others.length} others ${at} (hash ${own})`);
  if (before?.state === 'split') return before;
  const text = `the data of this member differ from those of all others ${at}: hash ${own}, the others ${theirs}`;
  // Asked again at once it would be the same question, and the same pause for clients.
  return { state: 'differs', confirmed: before !== undefined, text };
}

/** Why no member may be asked for its hash now, as far as time goes; undefined when they may. */
function tooEarly(settings: Settings, last: Asking | undefined, estimated: Asking): string | undefined {
  const { compare, deepCheckIntervalMs } = settings;
  if (compare === 0) return 'HEAL_COMPARE is 0';
  // The databases may have grown since the last one: what it would cost now counts as well.
  const most = (of: 'longestMs' | 'sumMs') => Math.max(last?.[of] ?? 0, estimated[of]);
  const waitMs = waitAfter({ longestMs: most('longestMs'), sumMs: most('sumMs') }, compare);
  // Where nothing is remembered, what may be as often as the deep check itself may be now.
  const agoMs = last === undefined ? deepCheckIntervalMs : Math.abs(estimated.atMs - last.atMs);
  if (agoMs >= waitMs) return undefined;
  return `HEAL_COMPARE=${compare} allows the next comparison at ${new Date((last ?? estimated).atMs + waitMs).toISOString()}`;
}

/**
 * Compares the data of this member with those of the others that serve, where `HEAL_COMPARE` allows that now and no
 * other node does the same. What it costs is written down before anybody is asked, so that a run that is killed is counted too.
 * The caller writes down the result. Never throws.
 * @param limitMs how long members may hash for it, all together
 * @param again a difference was found just now, and is asked about once more whatever that costs
 */
export async function compareAsAllowed(
  world: World,
  settings: Settings,
  { config, cluster, self: reply }: Situation,
  limitMs: number,
  again = false,
): Promise<Compared> {
  const { machine, places } = world;
  const nowMs = machine.now();
  const last = await deepCheckFile.read(machine, places.deepCheck);
  const unknown = (text: string): DeepCheckResult => notCompared(text, nowMs, reply?.memberId);
  const notAsked = (why: string, comparison = last?.comparison): Compared => {
    const stands = last !== undefined && last.memberId === reply?.memberId;
    const result = stands ? last : unknown(`not compared: ${why}`);
    return { result: { ...result, ...(comparison && { comparison }) }, notAsked: why };
  };
  if (config === undefined || reply === undefined) return notAsked('this member does not answer');
  if (cluster.serving.length === 0) return notAsked('none of the others serves');
  const self = { endpoint: config.clientUrl, reply };
  const all = [self, ...cluster.serving];
  const estimated = { atMs: nowMs, ...estimatedCost(all.map(({ reply }) => reply.dbSizeBytes)) };
  const why = again ? undefined : tooEarly(settings, last?.comparison, estimated);
  if (why !== undefined) return notAsked(why, last?.comparison ?? estimated);
  try {
    const reach = world.cluster(config.tls);
    const { value } = await claim(reach, [config.clientUrl], LOCK_KEY, config.name, LOCK_SEC);
    if (value !== config.name) return notAsked(`${value} compares its data right now`);
    const begun = {
      ...(last ?? unknown('a comparison has begun')),
      comparison: { ...(last?.comparison ?? estimated), atMs: nowMs },
    };
    await deepCheckFile.write(machine, places.deepCheck, begun);
    const members = all.map(({ endpoint, reply }) => ({ endpoint, revision: reply.revision }));
    const before = last?.memberId === reply.memberId && differs(last) ? last : undefined;
    const { found, cost } = await compareData(reach, machine, members, limitMs);
    const comparison = { atMs: nowMs, ...cost };
    // Asked in vain: what was found before stands.
    if (typeof found === 'string' && before) return notAsked(found, comparison);
    return { result: { ...unknown(''), ...judge(found, self, cluster.serving, before), comparison } };
  } catch (error) {
    return notAsked((error as Error).message);
  }
}
