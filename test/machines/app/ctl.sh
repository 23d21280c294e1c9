#!/usr/bin/env bash
# A stand-in for the app's own script: the verbs that heal-node meets, doing what docs/platform.md says of them.
set -eu
. /opt/app/bin/.env
env_file=/opt/app/conf/etcd.env
data=/var/lib/etcd/default.etcd
v2_backup=/var/lib/etcd/v2.backup
v3_backup=/var/lib/etcd/v3.backup
# What the nodes send each other by ssh and scp: a folder that the machines share, in it one for each node.
nodes=/srv/nodes
export ETCDCTL_API=3

# With TLS members are called by their names, and show each other and their clients certificates.
ssl=/var/lib/etcd/ssl/etcd
scheme=http
curl_tls=()
if [ "${ETCD_ENABLE_TLS:-false}" = true ]; then
  scheme=https
  curl_tls=(--cacert $ssl/ca.pem --cert $ssl/client.pem --key $ssl/client-key.pem)
  export ETCDCTL_CACERT=$ssl/ca.pem ETCDCTL_CERT=$ssl/client.pem ETCDCTL_KEY=$ssl/client-key.pem
fi
host_of() { # IP
  local node
  if [ $scheme = https ]; then
    for node in $STABLE_NODES $ADDED_NODES; do
      if [ "${node#*=}" = "$1" ]; then echo "etcd${node%%=*}$ETCD_CLUSTER_DNS"; return; fi
    done
  fi
  echo "$1"
}
peer_url() { echo "$scheme://$(host_of "$1"):2380"; }
client_url() { echo "$scheme://$(host_of "$1"):2379"; }

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
own_ctl() { /opt/etcd/current/etcdctl --endpoints="$(client_url "$MY_IP")" "$@"; }

render_node() { # STATE: a node that joins names the nodes up to itself, as they were when it was added
  local cluster="" node
  for node in $STABLE_NODES $ADDED_NODES; do
    case ",$cluster," in *",etcd${node%%=*}="*) continue ;; esac
    cluster+="${cluster:+,}etcd${node%%=*}=$(peer_url "${node#*=}")"
    [ "$1" = existing ] && [ "$node" = "$MY_SID=$MY_IP" ] && break
  done
  cat <<ENV
ETCD_NAME=etcd$MY_SID
ETCD_DATA_DIR=$data
ETCD_LISTEN_PEER_URLS=$scheme://$MY_IP:2380
ETCD_LISTEN_CLIENT_URLS=$scheme://$MY_IP:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=$(peer_url "$MY_IP")
ETCD_ADVERTISE_CLIENT_URLS=$(client_url "$MY_IP")
ETCD_INITIAL_CLUSTER=$cluster
ETCD_INITIAL_CLUSTER_TOKEN=etcd-$CLUSTER_ID
ETCD_AUTO_COMPACTION_RETENTION=0
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_QUOTA_BACKEND_BYTES=${ETCD_QUOTA_BYTES:-2147483648}
ETCD_HEARTBEAT_INTERVAL=100
ETCD_ELECTION_TIMEOUT=${ETCD_ELECTION_TIMEOUT:-1000}
ETCD_INITIAL_CLUSTER_STATE=$1
ETCD_ENABLE_V2=true
ENV
  [ $scheme = http ] || cat <<ENV
ETCD_CERT_FILE=$ssl/server.pem
ETCD_KEY_FILE=$ssl/server-key.pem
ETCD_TRUSTED_CA_FILE=$ssl/ca.pem
ETCD_CLIENT_CERT_AUTH=true
ETCD_PEER_CERT_FILE=$ssl/peer.pem
ETCD_PEER_KEY_FILE=$ssl/peer-key.pem
ETCD_PEER_TRUSTED_CA_FILE=$ssl/ca.pem
ETCD_PEER_CLIENT_CERT_AUTH=true
ENV
}

# The members' names, each in place of an older line.
write_names() {
  local ip name
  while read -r ip name; do
    sed "/ $name\$/d" /etc/hosts >/etc/hosts.new
    echo "$ip $name" >>/etc/hosts.new
    cat /etc/hosts.new >/etc/hosts
  done < <(xargs -n 2 <<<"$HOSTS_DOMAIN_NAME")
  rm -f /etc/hosts.new
}

certificate() { # NAME USES NAMES
  openssl req -newkey rsa:2048 -nodes -keyout "$1-key.pem" -out csr -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 36500 -out "$1.pem" \
    -extfile <(printf 'extendedKeyUsage=%s\n%s\n' "$2" "$3") 2>/dev/null
}

# A new authority and all certificates, over those of every node and into the metadata.
make_certificates() {
  local dir node
  dir=$(mktemp -d)
  ( cd "$dir"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 36500 -subj /CN=CA 2>/dev/null
    certificate server serverAuth,clientAuth "subjectAltName=DNS:*$ETCD_CLUSTER_DNS"
    certificate client clientAuth ""
    certificate peer serverAuth,clientAuth "subjectAltName=DNS:*$ETCD_CLUSTER_DNS" )
  mkdir -p $ssl
  cp "$dir"/*.pem $ssl/
  rm -r "$dir"
  chmod 644 $ssl/*.pem
  chmod 600 $ssl/*-key.pem
  chown -R etcd:etcd /var/lib/etcd/ssl
  for node in $STABLE_NODES; do
    [ "${node#*=}" = "$MY_IP" ] && continue
    scp -P 16022 -rp /var/lib/etcd/ssl "${node#*=}:/var/lib/etcd"
    ssh -p 16022 "${node#*=}" chown -R etcd:etcd /var/lib/etcd/ssl
  done
  mkdir -p $nodes/metadata
  base64 $ssl/ca.pem >$nodes/metadata/caPem
  base64 $ssl/client.pem >$nodes/metadata/clientPem
  base64 $ssl/client-key.pem >$nodes/metadata/clientKeyPem
}

has_certificates() {
  local name
  for name in ca ca-key client client-key server server-key peer peer-key; do
    # The node that makes them copies them as root, and gives them to etcd after that.
    [ "$(stat -c %U $ssl/$name.pem 2>/dev/null)" = etcd ] || return 1
  done
}

# On the first node they are made where there is no CA; then they are waited for.
see_to_certificates() {
  if [ "${STABLE_NODES%% *}" = "$MY_SID=$MY_IP" ] && [ ! -f $ssl/ca.pem ]; then make_certificates; fi
  retry 60 2 has_certificates || exit 19
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
has_started() { ctl member list | grep -q " started, etcd${1%%=*}, $(peer_url "${1#*=}"),"; } # NODE

# Nodes join one after the other, each when those before it have started.
join() { # NODES
  local node
  for node in $1; do
    if [ "$node" = "$MY_SID=$MY_IP" ]; then break; fi
    retry 400 0.5 has_started "$node"
  done
  # The first of all nodes is the cluster that the others join.
  [ "${STABLE_NODES%% *}" = "$MY_SID=$MY_IP" ] || retry 400 0.5 add_myself
  render existing
  retry 3 1 systemctl start etcd
}

start() {
  [ "$MY_ROLE" = etcd-proxy ] || chown -R etcd:etcd /var/lib/etcd
  systemctl enable --quiet etcd
  if [ $scheme = https ] && [ "$MY_ROLE" = etcd-node ]; then
    write_names
    [ "$IS_ADDED" = true ] || see_to_certificates
  fi
  if [ "$MY_ROLE" = etcd-node ] && [ "$IS_ADDED" = true ]; then
    join "$ADDED_NODES"
  else
    render
    systemctl start etcd
  fi
}

stop() { systemctl stop etcd; }

check() { [ "$(curl -s -m 8 "${curl_tls[@]}" "$(client_url "$MY_IP")/health" | jq -r .health)" = true ]; }

# Scaled in: a node removes itself, when those with a higher SID have gone.
my_id() { ctl member list | sed -n "s#^\([0-9a-f]*\), .*, $(peer_url "$MY_IP"),.*#\1#p"; }
not_listed() { ! listed "$(peer_url "$1")"; }
is_stopped() { ! systemctl is-active --quiet etcd; }
destroy() {
  local node id
  for node in $DELETED_NODES; do
    if [ "$node" != "$MY_SID=$MY_IP" ]; then retry 200 1 not_listed "${node#*=}"; continue; fi
    id=$(retry 10 1 my_id)
    retry 200 1 ctl member remove "$id"
    retry 10 1 is_stopped
    stop
    break
  done
}

v2_keys() { ETCDCTL_API=2 own_ctl ls; }

# With keys of the old API a copy of the whole data dir; else a snapshot, or the database of an etcd that does not serve.
backup() {
  local keys
  rm -rf $v2_backup $v3_backup*
  if keys=$(v2_keys) && [ -z "$keys" ]; then
    if check; then own_ctl snapshot save $v3_backup; else cp $data/member/snap/db $v3_backup; fi
  else
    stop
    ETCDCTL_API=2 /opt/etcd/current/etcdctl backup --data-dir=$data --backup-dir=$v2_backup --with-v3
  fi
}

# Every node's data made anew: from the snapshot that each has, or the first node from its copy, which the others join.
restore() {
  rm -rf $data
  chown -R etcd:etcd /var/lib/etcd
  systemctl enable --quiet etcd
  render
  if [ -f $v3_backup ]; then
    /opt/etcd/current/etcdctl snapshot restore $v3_backup --skip-hash-check=true --name "etcd$MY_SID" --data-dir $data \
      --initial-cluster "$(. $env_file && echo "$ETCD_INITIAL_CLUSTER")" --initial-cluster-token "etcd-$CLUSTER_ID" \
      --initial-advertise-peer-urls "$(peer_url "$MY_IP")"
    chown -R etcd:etcd $data
    systemctl start etcd
    return
  fi
  if [ "${ALL_NODES%% *}" = "$MY_SID=$MY_IP" ]; then
    mv $v2_backup $data
    chown -R etcd:etcd $data
    # Only on itself: the others wait until it is a cluster that they can join.
    sed -i 's#^ETCD_LISTEN_CLIENT_URLS=.*#ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379#' $env_file
    systemctl start etcd-standalone
    alone() { /opt/etcd/current/etcdctl --endpoints=http://127.0.0.1:2379 "$@"; }
    retry 10 1 alone member update "$(alone member list | cut -d, -f1)" --peer-urls="$(peer_url "$MY_IP")"
    systemctl stop etcd-standalone
  fi
  join "$ALL_NODES"
}

# Called on all nodes at once: the source's data go to the others, and all are restored from them.
repair() { # {"node.ip": SOURCE}
  local source ip node others=""
  source=$(jq -r '."node.ip"' <<<"$1")
  case " ${ALL_NODES} " in *"=$source "*) ;; *) return 77 ;; esac
  for node in $ALL_NODES; do [ "${node#*=}" = "$source" ] || others+=" ${node#*=}"; done
  mkdir -p $nodes/$MY_IP
  if [ "$source" = "$MY_IP" ]; then
    backup
    for ip in $others; do mkdir -p $nodes/$ip; touch $nodes/$ip/ready2Copy; done
    stop
    for ip in $others; do retry 200 0.1 test -f "$nodes/$MY_IP/ready2Copy-$ip"; done
    if [ -d $v2_backup ]; then
      ip=${ALL_NODES%% *}
      ip=${ip#*=}
      [ "$ip" = "$MY_IP" ] || cp -a $v2_backup $nodes/$ip/
    else
      for ip in $others; do cp $v3_backup $nodes/$ip/; done
    fi
    for ip in $others; do touch $nodes/$ip/ready2Start; done
  else
    retry 200 0.1 test -f "$nodes/$MY_IP/ready2Copy"
    stop
    rm -rf $v2_backup $v3_backup*
    mkdir -p "$nodes/$source"
    touch "$nodes/$source/ready2Copy-$MY_IP"
    retry 2000 0.1 test -f "$nodes/$MY_IP/ready2Start"
    for node in v2.backup v3.backup; do [ ! -e $nodes/$MY_IP/$node ] || mv $nodes/$MY_IP/$node /var/lib/etcd/; done
  fi
  rm -rf "${nodes:?}/$MY_IP"
  restore
}

case "${1:-}" in
check)
  if [ "$MY_ROLE" = etcd-proxy ]; then exec 3<>"/dev/tcp/$MY_IP/2379"; exit 0; fi
  check
  ;;
restart) stop; start ;;
start) start ;;
stop) stop ;;
destroy) destroy ;;
backup) backup; systemctl is-active --quiet etcd || systemctl start etcd ;;
restore) restore ;;
repair) repair "${2:-}" ;;
# confd calls it whenever the metadata have changed: of an etcd node only etcd's own settings count.
update)
  if systemctl is-enabled --quiet etcd && { [ "$MY_ROLE" = etcd-proxy ] || [[ ",${CHANGED_VARS// /,}" =~ ,ETCD_ ]]; }; then
    stop
    start
  fi
  ;;
*)
  echo "unknown verb: ${1:-}" >&2
  exit 64
  ;;
esac
