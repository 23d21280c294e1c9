import { dataEvidence, type Evidence, ev, listEvidence } from './evidence.ts';
import { isLogShort } from './log-words.ts';
import type { BareSituation } from './situation.ts';
import type because from './stale-proofs.json';

/**
 * A fact, or several, from which it follows that a member can never come back with the data it has. Why that is certain
 * stands in stale-proofs.json.
 */
export interface StaleProof {
  /** It holds while etcd is on its way up as well: on such data it waits for ever. */
  readonly whileStarting?: true;
  /** Whether others serve is asked beside it (src/diagnose/rules.ts). */
  readonly holds: (s: BareSituation) => boolean;
  /** The evidence. */
  readonly shows: readonly ((s: BareSituation) => Evidence | readonly Evidence[])[];
}

/** etcd has ended badly on its data in this boot: where its user cannot use them, it has not come to read them. */
const crashedOnData = ({ crashed, observed: { host } }: BareSituation): boolean =>
  crashed && host?.ok === true && host.value.unusableData.length === 0;

/** What its own files say is wrong with them, where etcd has ended badly on them. */
const damaged = (isOfIt: (file: string) => boolean): StaleProof => {
  const harmIn = ({ examination }: BareSituation) =>
    examination?.kind === 'damaged' ? examination.damage.filter(({ file }) => isOfIt(file)) : [];
  const damageEvidence = (s: BareSituation): Evidence[] =>
    harmIn(s).map(({ file, at, what }) =>
      ev('data', `${s.config?.dataDir}: ${file}`, at === undefined ? what : `${what}, at byte ${at}`),
    );
  return {
    holds: (s) => harmIn(s).length > 0 && crashedOnData(s),
    shows: [damageEvidence, dataEvidence],
  };
};

const ofWal = (file: string): boolean => file === 'wal' || file.endsWith('.wal');

/**
 * Every proof, asked by rules, guards and gate alike; the reason code is `stale/NAME`. A process that lives is none of
 * theirs, but for `whileStarting`.
 */
export const staleProofs: Readonly<Record<keyof typeof because, StaleProof>> = {
  'already-bootstrapped': {
    holds: (s) => s.dataGone && s.membership === 'listed' && s.hasRun,
    shows: [dataEvidence, listEvidence],
  },
  removed: {
    whileStarting: true,
    holds: (s) => s.ownerUnlisted || (s.dataGone && s.membership === 'unlisted' && s.observed.mark.wasMember),
    shows: [dataEvidence, listEvidence],
  },
  'half-added': {
    holds: ({ dataGone, membership, crashed, observed: { app, mark } }) =>
      dataGone && membership === 'unstarted' && (crashed || mark.wasMember) && !(app.ok && app.value.isAdded),
    shows: [dataEvidence, listEvidence],
  },
  'wal-damaged': damaged(ofWal),
  'db-damaged': damaged((file) => !ofWal(file)),
  'log-short': {
    holds: (s) => s.owner !== undefined && isLogShort(s),
    shows: [dataEvidence],
  },
  'given-up': {
    whileStarting: true,
    holds: (s) => s.givenUp,
    shows: [dataEvidence, listEvidence],
  },
};
