import { staleMemberHeals } from './stories.ts';

staleMemberHeals("member 2's snap/db is damaged", 'db-damaged', { reason: 'stale/db-damaged' });
