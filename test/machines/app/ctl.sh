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

# A new authority and all certificates, into the same folder of every node and into the metadata.
make_certificates() { # FOLDER
  local dir node
  dir=$(mktemp -d)
  ( cd "$dir"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 36500 -subj /CN=CA 2>/dev/null
    certificate server serverAuth,clientAuth "subjectAltName=DNS:*$ETCD_CLUSTER_DNS"
    certificate client clientAuth ""
    certificate peer serverAuth,clientAuth "subjectAltName=DNS:*$ETCD_CLUSTER_DNS" )
  mkdir -p "$1"
  cp "$dir"/*.pem "$1/"
  rm -r "$dir"
  chmod 644 "$1"/*.pem
  chmod 600 "$1"/*-key.pem
  chown -R etcd:etcd /var/lib/etcd/ssl
  for node in $STABLE_NODES; do
    [ "${node#*=}" = "$MY_IP" ] && continue
    ssh -p 16022 "${node#*=}" mkdir -p "${1%/*}"
    scp -P 16022 -rp "$1" "${node#*=}:${1%/*}"
    ssh -p 16022 "${node#*=}" chown -R etcd:etcd /var/lib/etcd/ssl
  done
  mkdir -p $nodes/metadata
  base64 "$1/ca.pem" >$nodes/metadata/caPem
  base64 "$1/client.pem" >$nodes/metadata/clientPem
  base64 "$1/client-key.pem" >$nodes/metadata/clientKeyPem
}

has_certificates() { # FOLDER
  local name
  for name in ca ca-key client client-key server server-key peer peer-key; do
    # The node that makes them copies them as root, and gives them to etcd after that.
    [ "$(stat -c %U "$1/$name.pem" 2>/dev/null)" = etcd ] || return 1
  done
}

# On the first node they are made where there is no CA; then they are waited for.
see_to_certificates() {
  if [ "${STABLE_NODES%% *}" = "$MY_SID=$MY_IP" ] && [ ! -f $ssl/ca.pem ]; then make_certificates $ssl; fi
  retry 60 2 has_certificates $ssl || exit 19
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

prepare() {
  local node
  [ "$MY_ROLE" = etcd-proxy ] || chown -R etcd:etcd /var/lib/etcd
  systemctl enable --quiet etcd
  if [ $scheme = https ] && [ "$MY_ROLE" = etcd-node ]; then
    write_names
    if [ "$IS_ADDED" != true ]; then see_to_certificates
    elif [ ! -f $ssl/ca.pem ]; then
      node=${STABLE_NODES%% *}
      scp -P 16022 -rp "${node#*=}:/var/lib/etcd/ssl" /var/lib/etcd
      chown -R etcd:etcd /var/lib/etcd/ssl
    fi
  fi
}

start() {
  prepare
  if [ "$MY_ROLE" = etcd-node ] && [ "$IS_ADDED" = true ]; then
    join "$ADDED_NODES"
  else
    render
    systemctl start etcd
  fi
}

stop() { systemctl stop etcd; }

check() { # IP, its own when left out
  [ "$(curl -s -m 8 "${curl_tls[@]}" "$(client_url "${1:-$MY_IP}")/health" | jq -r .health)" = true ]
}

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

# What a repair that came to nothing has left counts no more.
ready() { [ -n "$(find "$1" -mmin -1 2>/dev/null)" ]; }

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
    for ip in $others; do retry 200 0.1 ready "$nodes/$MY_IP/ready2Copy-$ip"; done
    if [ -d $v2_backup ]; then
      ip=${ALL_NODES%% *}
      ip=${ip#*=}
      [ "$ip" = "$MY_IP" ] || cp -a $v2_backup $nodes/$ip/
    else
      for ip in $others; do cp $v3_backup $nodes/$ip/; done
    fi
    for ip in $others; do touch $nodes/$ip/ready2Start; done
  else
    retry 200 0.1 ready "$nodes/$MY_IP/ready2Copy"
    stop
    rm -rf $v2_backup $v3_backup*
    mkdir -p "$nodes/$source"
    touch "$nodes/$source/ready2Copy-$MY_IP"
    retry 2000 0.1 ready "$nodes/$MY_IP/ready2Start"
    for node in v2.backup v3.backup; do [ ! -e $nodes/$MY_IP/$node ] || mv $nodes/$MY_IP/$node /var/lib/etcd/; done
  fi
  rm -rf "${nodes:?}/$MY_IP"
  restore
}

compact() {
  local revision said
  revision=$(ctl get / -w fields | sed -n 's/^"Revision" : //p')
  said=$(ctl compact "$revision" 2>&1) || [[ $said == *"required revision has been compacted" ]]
}

# The platform has put the new image in place and started the nodes by then: it waits until this one is healthy.
upgrade() {
  prepare
  retry 60 1 check
}

# The runbook as a script, on the node that does not answer: whoever does not answer is removed, whoever it is.
repair_minority_node() { # {"healthnode.ip": GOOD, "unhealthnode.ip": BAD}
  local good url id cluster unit=/etc/systemd/system/etcd env1=${env_file%.env}1.env
  good=$(jq -r '."healthnode.ip"' <<<"$1")
  [ "$(jq -r '."unhealthnode.ip"' <<<"$1")" = "$MY_IP" ] || return 0
  if check || ! check "$good"; then return 0; fi
  good_ctl() { /opt/etcd/current/etcdctl --endpoints="$(client_url "$good")" "$@"; }
  if [ -f $unit.service ]; then
    stop
    mv $unit.service ${unit}1.service
    systemctl daemon-reload
  fi
  for url in $(good_ctl member list | awk -F', ' '{print $5}'); do
    /opt/etcd/current/etcdctl --endpoints="$url" endpoint health && continue
    id=$(good_ctl member list | grep "${url%:*}:" | cut -d, -f1)
    good_ctl member remove "$id" || true
  done
  for id in $(good_ctl member list | sed -n 's/, unstarted,.*//p'); do good_ctl member remove "$id" || true; done
  good_ctl member add "etcd$MY_SID" --peer-urls="$(peer_url "$MY_IP")" || true
  rm -rf $data
  cluster=$(good_ctl member list | awk -F', ' '$2 == "started" {print $3 "=" $4}' | paste -sd,)
  sed -e s/^ETCD_INITIAL_CLUSTER_STATE=.*/ETCD_INITIAL_CLUSTER_STATE=existing/ \
    -e "s#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=$cluster,etcd$MY_SID=$(peer_url "$MY_IP")#" $env_file >$env1
  sed -i "s#$env_file#$env1#" ${unit}1.service
  systemctl daemon-reload
  systemctl start etcd1
  retry 300 2 own_ctl endpoint health
  mv ${unit}1.service $unit.service
  rm -f $env1
  sed -i "s#$env1#$env_file#" $unit.service
  systemctl daemon-reload
  systemctl stop etcd1
  systemctl start etcd
}

# TLS is switched on or off, or the names change, on all nodes at once: the first node makes certificates, and has the
# cluster list each member under its new peer URL, by what it still listens at. Then every node writes its settings anew
# and restarts etcd.
change_names() { # SCHEME DNS, as they were
  local first=${STABLE_NODES%% *} was new=${ssl}temp node
  was="http://${first#*=}:2379"
  [ "$1" = http ] || was="https://etcd${first%%=*}$2:2379"
  was_ctl() {
    local words=(--cacert=$ssl/ca.pem --cert=$ssl/client.pem --key=$ssl/client-key.pem)
    [[ $was == https:* ]] || words=()
    env -u ETCDCTL_CACERT -u ETCDCTL_CERT -u ETCDCTL_KEY /opt/etcd/current/etcdctl --dial-timeout=1s \
      --command-timeout=2s --endpoints="$was" "${words[@]}" "$@"
  }
  url_of() { # NAME
    for node in $STABLE_NODES; do if [ "etcd${node%%=*}" = "$1" ]; then peer_url "${node#*=}"; fi; done
  }
  all_changed() {
    local list
    list=$(was_ctl member list) || return 1
    for node in $STABLE_NODES; do grep -q " $(peer_url "${node#*=}")," <<<"$list" || return 1; done
  }
  [ $scheme = http ] || write_names
  if [ "$first" = "$MY_SID=$MY_IP" ]; then
    if [ $scheme = https ]; then
      if [ "$1" = https ]; then make_certificates $new; elif [ ! -f $ssl/ca.pem ]; then make_certificates $ssl; fi
    fi
    was_ctl member list | while IFS=', ' read -r id _ name _; do
      [ -z "$(url_of "$name")" ] || was_ctl member update "$id" --peer-urls="$(url_of "$name")" </dev/null || true
    done
  fi
  sleep 5
  # Of a new authority it takes all or none.
  if [ "$1" = https ] && [ $scheme = https ]; then retry 60 1 has_certificates $new || true; fi
  if [ $scheme = https ] && [ ! -f $ssl/ca.pem ]; then
    scp -P 16022 -rp "${first#*=}:/var/lib/etcd/ssl" /var/lib/etcd
    chown -R etcd:etcd /var/lib/etcd/ssl
  fi
  [ ! -d $new ] || cp -p $new/*.pem $ssl/
  render
  retry 5 1 all_changed || true
  systemctl daemon-reload
  stop
  [ -z "$2" ] || [ "$2" = "$ETCD_CLUSTER_DNS" ] || { sed "/$2\$/d" /etc/hosts >/etc/hosts.new; cat /etc/hosts.new >/etc/hosts; rm /etc/hosts.new; }
  rm -rf $new
  systemctl start etcd
}

# confd calls it whenever the metadata have changed: of an etcd node only etcd's own settings count.
update() {
  local changed=" $CHANGED_VARS " dns
  systemctl is-enabled --quiet etcd || return 0
  [ "$MY_ROLE" = etcd-proxy ] || [[ $changed == *" ETCD_"* ]] || return 0
  dns=$(sed -n 's/.* ETCD_CLUSTER_DNS=\([^ ]*\) ETCD_CLUSTER_DNS=.*/\1/p' <<<"$changed")
  case "$changed" in
  *" ETCD_ENABLE_TLS=false ETCD_ENABLE_TLS=true "*) change_names http "$dns" ;;
  *" ETCD_ENABLE_TLS=true ETCD_ENABLE_TLS=false "*) change_names https "${dns:-$ETCD_CLUSTER_DNS}" ;;
  *" ETCD_CLUSTER_DNS="*) if [ $scheme = https ]; then change_names https "$dns"; fi ;;
  *) stop; start ;;
  esac
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
compact) compact ;;
upgrade) upgrade ;;
repairMinorityNode) repair_minority_node "${2:-}" ;;
update) update ;;
*)
  echo "unknown verb: ${1:-}" >&2
  exit 64
  ;;
esac
