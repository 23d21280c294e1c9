/** `MY_ROLE` of the app's view. */
export const PROXY_ROLE = 'etcd-proxy';
export const ETCD_ROLE = 'etcd-node';
