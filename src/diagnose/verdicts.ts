/** What the health action does with a verdict; see src/act/health-action.ts. */
export type Response = 'nothing' | 'restart' | 'restart-if-dead' | 'kill' | 'heal' | 'resume';

interface VerdictRow {
  readonly means: string;
  readonly response: Response;
  /** What a person should do where heal-node does not; undefined where there is nothing to do. */
  readonly advice?: string;
}

/** The verdicts of the contract. */
export const verdicts = {
  healthy: {
    means: 'the member answers, knows its leader, and is the member that it should be',
    response: 'nothing',
  },
  starting: { means: 'the process lives and is on its way up', response: 'nothing' },
  stopped: { means: 'etcd is not running, and its last run did not fail', response: 'restart' },
  hung: { means: 'it runs, does not answer, and makes no progress', response: 'kill' },
  stale: {
    means: 'this member can never come back with the data it has, while the others serve without it',
    response: 'heal',
  },
  'local-fault': {
    means: 'this machine has a fault that a fresh member would meet again',
    response: 'restart-if-dead',
    advice: 'fix the problem named in the evidence; etcd then starts by itself',
  },
  partitioned: {
    means: 'it runs, but cannot reach the others',
    response: 'nothing',
    advice: 'repair the network between this node and the others; etcd then catches up by itself',
  },
  'quorum-lost': {
    means: 'too few members answer',
    response: 'restart-if-dead',
    advice: 'bring the other members back first',
  },
  amnesia: {
    means: 'starting or healing this member could lose committed writes',
    response: 'nothing',
    advice:
      'start nothing here until a member that still has the data serves again; find it by the revision that `etcdctl endpoint status` shows on each node',
  },
  alarmed: {
    means: 'it serves, but an etcd alarm makes /health false on every member',
    response: 'nothing',
    advice:
      'clear the cause on the member that the evidence names (NOSPACE: `etcdctl compact $(etcdctl endpoint status --write-out=json | grep -o "revision.:[0-9]*" | head -1 | cut -d: -f2)`, then `etcdctl defrag --cluster`, or a larger ETCD_QUOTA_BACKEND_BYTES; CORRUPT: replace that member), then `etcdctl alarm disarm`; a restart clears no alarm',
  },
  healing: { means: 'a heal is under way or was left half-done', response: 'resume' },
  unknown: {
    means: 'what is wrong cannot be diagnosed for certain',
    response: 'restart-if-dead',
    advice: 'read the evidence and `journalctl -u etcd`; heal-node leaves membership and data alone',
  },
} as const satisfies Record<string, VerdictRow>;

export type Verdict = keyof typeof verdicts;

/** A verdict, and the kind of it. */
export type Reason = `${Verdict}/${string}`;

export const verdictRow = (verdict: Verdict): VerdictRow => verdicts[verdict];
