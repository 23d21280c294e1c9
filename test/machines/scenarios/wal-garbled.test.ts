import { staleMemberHeals } from './stories.ts';

staleMemberHeals("a record of member 2's WAL is not one any more", 'wal-garbled', {
  reason: 'stale/wal-garbled',
});
