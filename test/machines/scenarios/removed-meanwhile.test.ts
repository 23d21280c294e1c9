import { staleMemberHeals } from './stories.ts';

staleMemberHeals('member 2 was removed from the cluster while it was off', 'removed', {
  reason: 'stale/removed',
});
