import { staleMemberHeals } from './stories.ts';

staleMemberHeals('member 2 loses its data with its host', 'data-gone', {
  reason: 'stale/already-bootstrapped',
});
