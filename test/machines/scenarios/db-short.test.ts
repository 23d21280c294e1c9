import { staleMemberHeals } from './stories.ts';

staleMemberHeals("member 2's snap/db is cut short", 'db-short', { reason: 'stale/db-short' });
