import { staleMemberHeals } from './stories.ts';

staleMemberHeals("member 2's WAL is damaged", 'wal-damaged', { reason: 'stale/wal-damaged' });
