#!/usr/bin/env bash
# A stand-in for the app's own script: the verbs that heal-node meets, doing what docs/platform.md says of them.
set -eu
. /opt/app/bin/.env
env_file=/opt/app/conf/etcd.env
export ETCDCTL_API=3

peer_url() { echo "http://$1:2380"; }
client_url() { echo "http://$1:2379"; }

retry() { # TIMES SECONDS COMMAND…
  local times=$1 pause=$2 i
  shift 2
  for i in $(seq "$times"); do "$@" && return 0; sleep "$pause"; done
  return 1
}

endpoints() {
  local all=""
  for node in $STABLE_NODES; do all+="${all:+,}$(client_url "${node#*=}")"; done
  echo "$all"
}

ctl() { /opt/etcd/current/etcdctl --endpoints="$(endpoints)" "$@"; }

render_node() { # STATE: a node that joins names the nodes up to itself, as they were when it was added
  local cluster="" node
  for node in $STABLE_NODES $ADDED_NODES; do
    case ",$cluster," in *",etcd${node%%=*}="*) continue ;; esac
    cluster+="${cluster:+,}etcd${node%%=*}=$(peer_url "${node#*=}")"
    [ "$1" = existing ] && [ "$node" = "$MY_SID=$MY_IP" ] && break
  done
  cat <<ENV
ETCD_NAME=etcd$MY_SID
ETCD_DATA_DIR=/var/lib/etcd/default.etcd
ETCD_LISTEN_PEER_URLS=$(peer_url "$MY_IP")
ETCD_LISTEN_CLIENT_URLS=$(client_url "$MY_IP")
ETCD_INITIAL_ADVERTISE_PEER_URLS=$(peer_url "$MY_IP")
ETCD_ADVERTISE_CLIENT_URLS=$(client_url "$MY_IP")
ETCD_INITIAL_CLUSTER=$cluster
ETCD_INITIAL_CLUSTER_TOKEN=etcd-$CLUSTER_ID
ETCD_AUTO_COMPACTION_RETENTION=0
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_QUOTA_BACKEND_BYTES=2147483648
ETCD_HEARTBEAT_INTERVAL=100
ETCD_ELECTION_TIMEOUT=1000
ETCD_INITIAL_CLUSTER_STATE=$1
ETCD_ENABLE_V2=true
ENV
}

render_proxy() {
  local all
  all=$(endpoints)
  echo "etcdOpts=\"gateway start --listen-addr=$MY_IP:2379 --endpoints=${all//http:\/\//}\""
}

render() {
  umask 027
  if [ "$MY_ROLE" = etcd-proxy ]; then render_proxy >$env_file.new; else render_node "${1:-new}" >$env_file.new; fi
  chown root:etcd $env_file.new
  mv $env_file.new $env_file
}

listed() { ctl member list | grep -q " $1,"; }
add_myself() { listed "$(peer_url "$MY_IP")" || ctl member add "etcd$MY_SID" --peer-urls="$(peer_url "$MY_IP")"; }
has_started() { ctl member list | grep -q " started, etcd$1,"; }

# Added nodes join one after the other, each when those before it have started.
join() {
  local node
  for node in $ADDED_NODES; do
    if [ "$node" = "$MY_SID=$MY_IP" ]; then break; fi
    retry 200 1 has_started "${node%%=*}"
  done
  retry 200 1 add_myself
  render existing
  retry 3 1 systemctl start etcd
}

start() {
  [ "$MY_ROLE" = etcd-proxy ] || chown -R etcd:etcd /var/lib/etcd
  systemctl enable --quiet etcd
  if [ "$MY_ROLE" = etcd-node ] && [ "$IS_ADDED" = true ]; then
    join
  else
    render
    systemctl start etcd
  fi
}

stop() { systemctl stop etcd; }

case "${1:-}" in
check)
  if [ "$MY_ROLE" = etcd-proxy ]; then exec 3<>"/dev/tcp/$MY_IP/2379"; exit 0; fi
  [ "$(curl -s -m 8 "$(client_url "$MY_IP")/health" | jq -r .health)" = true ]
  ;;
restart) stop; start ;;
start) start ;;
stop) stop ;;
# confd calls it whenever the metadata have changed.
update) if systemctl is-enabled --quiet etcd; then stop; start; fi ;;
*)
  echo "unknown verb: ${1:-}" >&2
  exit 64
  ;;
esac
