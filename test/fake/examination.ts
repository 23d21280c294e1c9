import type { Examination } from '../../src/machine/etcd/examine.ts';

/** What an examination says where there is nothing, for a fake to say more. */
export const NOTHING_FOUND: Examination = {
  kind: 'none',
  elected: false,
  damage: [],
  memberId: '',
  clusterId: '',
  term: 0n,
  commit: 0n,
  lastIndex: 0n,
  lastTerm: 0n,
  applied: undefined,
  logShort: false,
  isRemoved: false,
  clusterVersion: '',
  logRead: false,
  brokenOff: false,
  notLookedAt: [],
};
