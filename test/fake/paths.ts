export const UNIT_DIR = '/etc/systemd/system';
export const UNIT_TEXT =
  '[Service]\nType=notify\nUser=etcd\nEnvironmentFile=/opt/app/conf/etcd.env\nExecStart=/opt/etcd/current/etcd\n';
export const DATA_DIR = '/var/lib/etcd/default.etcd';
export const WAL_DIR = `${DATA_DIR}/member/wal`;
export const WAL = `${WAL_DIR}/0000000000000000-0000000000000000.wal`;
export const DB = `${DATA_DIR}/member/snap/db`;
export const ETCD_RIGHTS = { mode: 0o700, uid: 100, gid: 101 };
export const ROOT_FILE = { mode: 0o644, uid: 0, gid: 0 };
export const BIRTHMARK_KEY = 'heal-node/birthmark';
