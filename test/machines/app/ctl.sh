#!/usr/bin/env bash
# A stand-in for the app's own script: the verbs that heal-node meets, doing what the platform's notes say of them.
set -eu
. /opt/app/bin/.env
env_file=/opt/app/conf/etcd.env

peer_url() { echo "http://$1:2380"; }

render_node() {
  local cluster=""
  for node in $STABLE_NODES; do cluster+="${cluster:+,}etcd${node%%=*}=$(peer_url "${node#*=}")"; done
  cat <<ENV
ETCD_NAME=etcd$MY_SID
ETCD_DATA_DIR=/var/lib/etcd/default.etcd
ETCD_LISTEN_PEER_URLS=$(peer_url "$MY_IP")
ETCD_LISTEN_CLIENT_URLS=http://$MY_IP:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=$(peer_url "$MY_IP")
ETCD_ADVERTISE_CLIENT_URLS=http://$MY_IP:2379
ETCD_INITIAL_CLUSTER=$cluster
ETCD_INITIAL_CLUSTER_TOKEN=etcd-$CLUSTER_ID
ETCD_AUTO_COMPACTION_RETENTION=0
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_QUOTA_BACKEND_BYTES=2147483648
ETCD_HEARTBEAT_INTERVAL=100
ETCD_ELECTION_TIMEOUT=1000
ETCD_INITIAL_CLUSTER_STATE=new
ETCD_ENABLE_V2=true
ENV
}

render_proxy() {
  local endpoints=""
  for node in $STABLE_NODES; do endpoints+="${endpoints:+,}${node#*=}:2379"; done
  echo "etcdOpts=\"gateway start --listen-addr=$MY_IP:2379 --endpoints=$endpoints\""
}

render() {
  umask 027
  if [ "$MY_ROLE" = etcd-proxy ]; then render_proxy >$env_file.new; else render_node >$env_file.new; fi
  chown root:etcd $env_file.new
  mv $env_file.new $env_file
}

case "${1:-}" in
check)
  if [ "$MY_ROLE" = etcd-proxy ]; then exec 3<>"/dev/tcp/$MY_IP/2379"; exit 0; fi
  [ "$(curl -s -m 8 "http://$MY_IP:2379/health" | jq -r .health)" = true ]
  ;;
restart) systemctl restart etcd ;;
start)
  systemctl enable --quiet etcd
  render
  chown -R etcd:etcd /var/lib/etcd
  systemctl start etcd
  ;;
stop) systemctl stop etcd ;;
*)
  echo "unknown verb: ${1:-}" >&2
  exit 64
  ;;
esac
