/**
 * Refusals of calls that are known to pass by themselves, and why, as etcd 3.4 words them
 * (etcdserver/api/v3rpc/rpctypes/error.go, etcdserver/errors.go). Everything else is an error at once.
 */
import transientRefusals from './transient-refusals.json';

const texts = Object.keys(transientRefusals);

export const isTransient = (said: string): boolean => texts.some((text) => said.includes(text));
