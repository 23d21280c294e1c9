/**
 * Refusals of membership calls that are known to pass by themselves, and why, as etcd 3.4 words them
 * (etcdserver/api/v3rpc/rpctypes/error.go, etcdserver/errors.go). Everything else is an error at once.
 */
const transientRefusals = [
  // A voter has (re)started within the last 5 s, or is not connected.
  'etcdserver: unhealthy cluster',
  // An added member has not started yet.
  're-configuration failed due to not enough started members',
  // An election is under way, has just ended, or has just changed the leader.
  'etcdserver: no leader',
  'etcdserver: leader changed',
  'etcdserver: not leader',
  // No leader has taken the request yet; it may have taken effect.
  'etcdserver: request timed out',
  // The members are behind with applying.
  'etcdserver: too many requests',
  // No answer in time; it may have taken effect.
  'context deadline exceeded',
  // The member that was asked is going down or, where it refuses the connection, coming up.
  'etcdserver: server stopped',
  'connection refused',
  'transport is closing',
];

export const isTransient = (said: string): boolean => transientRefusals.some((text) => said.includes(text));
