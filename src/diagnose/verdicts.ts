/** What the health action does with a verdict; see src/act/health-action.ts. */
export type Response = 'nothing' | 'restart' | 'restart-if-dead' | 'kill' | 'heal' | 'resume';

interface VerdictRow {
  readonly response: Response;
  /** What a person should do where heal-node does not; undefined where there is nothing to do. */
  readonly advice?: string;
}

/** The verdicts of the contract; what each means in general is said in docs/verdicts.md. */
export const verdicts = {
  healthy: { response: 'nothing' },
  starting: { response: 'nothing' },
  stopped: { response: 'restart' },
  hung: { response: 'kill' },
  stale: { response: 'heal' },
  'local-fault': {
    response: 'restart-if-dead',
    advice: 'fix the problem named in the evidence; etcd then starts by itself',
  },
  partitioned: {
    response: 'nothing',
    advice: 'repair the network between this node and the others; etcd then catches up by itself',
  },
  'quorum-lost': {
    response: 'restart-if-dead',
    advice: 'bring the other members back first',
  },
  amnesia: {
    response: 'nothing',
    advice:
      'start nothing here until a member that still has the data serves again; find it by the revision that `etcdctl endpoint status` shows on each node',
  },
  alarmed: {
    response: 'nothing',
    advice:
      'clear the cause on the member that the evidence names (NOSPACE: `etcdctl compact $(etcdctl endpoint status --write-out=json | grep -o "revision.:[0-9]*" | head -1 | cut -d: -f2)`, then `etcdctl defrag --cluster`, or a larger ETCD_QUOTA_BACKEND_BYTES; CORRUPT: replace that member), then `etcdctl alarm disarm`; a restart clears no alarm',
  },
  healing: { response: 'resume' },
  unknown: {
    response: 'restart-if-dead',
    advice: 'read the evidence and `journalctl -u etcd`; heal-node leaves membership and data alone',
  },
} as const satisfies Record<string, VerdictRow>;

export type Verdict = keyof typeof verdicts;

/** A verdict, and the kind of it. */
export type Reason = `${Verdict}/${string}`;

export const verdictRow = (verdict: Verdict): VerdictRow => verdicts[verdict];
