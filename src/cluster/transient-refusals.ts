/**
 * Refusals of membership calls that are known to pass by themselves, as etcd 3.4 words them
 * (etcdserver/api/v3rpc/rpctypes/error.go, etcdserver/errors.go). Everything else is an error at once.
 */
const transientRefusals: readonly { readonly says: string; readonly because: string }[] = [
  {
    says: 'etcdserver: unhealthy cluster',
    because: 'a voter has (re)started within the last 5 s, or is not connected',
  },
  {
    says: 're-configuration failed due to not enough started members',
    because: 'an added member has not started yet',
  },
  { says: 'etcdserver: no leader', because: 'an election is under way' },
  { says: 'etcdserver: leader changed', because: 'an election has just ended' },
  { says: 'etcdserver: not leader', because: 'the leader has just changed' },
  {
    says: 'etcdserver: request timed out',
    because: 'no leader has taken the request yet; it may have taken effect',
  },
  { says: 'etcdserver: too many requests', because: 'the members are behind with applying' },
  { says: 'etcdserver: server stopped', because: 'the member that was asked is going down' },
  { says: 'context deadline exceeded', because: 'no answer in time; it may have taken effect' },
  { says: 'connection refused', because: 'the member that was asked is going down or coming up' },
  { says: 'transport is closing', because: 'the member that was asked is going down' },
];

export const isTransient = (said: string): boolean =>
  transientRefusals.some(({ says }) => said.includes(says));
