import { staleMemberHeals } from './stories.ts';

staleMemberHeals('one of five members loses its data', 'data-gone', {
  members: 5,
  sid: 4,
  reason: 'stale/already-bootstrapped',
});
