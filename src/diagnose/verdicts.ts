/** What the health action does with a verdict; see src/act/health-action.ts. */
export type Response = 'nothing' | 'restart' | 'restart-if-dead' | 'kill' | 'heal' | 'resume';

/** The verdicts of the contract, and what the health action does with each. Their words stand in src/words. */
export const verdicts = {
  healthy: 'nothing',
  starting: 'nothing',
  stopped: 'restart',
  hung: 'kill',
  stale: 'heal',
  'local-fault': 'restart-if-dead',
  partitioned: 'nothing',
  'quorum-lost': 'restart-if-dead',
  amnesia: 'nothing',
  alarmed: 'nothing',
  healing: 'resume',
  unknown: 'restart-if-dead',
} as const satisfies Readonly<Record<string, Response>>;

export type Verdict = keyof typeof verdicts;

/** A verdict, and the kind of it. */
export type Reason = `${Verdict}/${string}`;
