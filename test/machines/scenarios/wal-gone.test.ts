import { staleMemberHeals } from './stories.ts';

staleMemberHeals('member 2 loses only its WAL', 'wal-gone', { reason: 'stale/already-bootstrapped' });
