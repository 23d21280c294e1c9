/** What the health action does with a verdict; see src/act/health-action.ts. */
export type Response = 'nothing' | 'restart' | 'restart-if-dead' | 'heal' | 'resume';

interface VerdictRow {
  readonly means: string;
  readonly response: Response;
  /** What a person should do where heal-node does not; undefined where there is nothing to do. */
  readonly person?: string;
}

/** The verdicts of the contract that the rules can come to today. */
export const verdicts = {
  healthy: {
    means: 'the member answers, knows its leader, and is the member that it should be',
    response: 'nothing',
  },
  starting: { means: 'the process lives and is on its way up', response: 'nothing' },
  stopped: { means: 'etcd is not running, and nothing is wrong with its data', response: 'restart' },
  stale: {
    means: 'this member can never come back with the data it has, while the others serve without it',
    response: 'heal',
  },
  'local-fault': {
    means: 'this machine has a fault that a fresh member would meet again',
    response: 'restart-if-dead',
    person: 'mend what the evidence names; etcd comes up by itself then',
  },
  'quorum-lost': {
    means: 'too few members answer',
    response: 'restart-if-dead',
    person:
      'bring the other members back first; if their data are lost for good, decide by hand whether to use `ctl.sh repair` on the node with the newest data',
  },
  amnesia: {
    means: 'starting or healing this member could make the cluster forget',
    response: 'nothing',
    person:
      'start nothing here until a member that still has the data serves again; find it by the revision that `etcdctl endpoint status` shows on each node',
  },
  healing: { means: 'a heal is under way or was left half-done', response: 'resume' },
  unknown: {
    means: 'it cannot be told for certain what is wrong',
    response: 'restart-if-dead',
    person: 'read the evidence and `journalctl -u etcd`; heal-node leaves membership and data alone',
  },
} as const satisfies Record<string, VerdictRow>;

export type Verdict = keyof typeof verdicts;

export const verdictRow = (verdict: Verdict): VerdictRow => verdicts[verdict];
