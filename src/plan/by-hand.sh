# The commands of `heal-node plan --manual`: what a person does in the place of each step of the heal. POSIX sh.
# Behind each step's ID stands what the old runbook has a person type, for the demo and the docs.
# src/plan/by-hand.ts puts the values of a node before them, and all of it into one subshell with `set -eu`. Each section
# may be run again after a cut. No `!` stands before a word: pasted into bash that would be a command of its history.
### begin
umask 022
peer=${peers%%,*} each=$(echo "$others" | tr , ' ')
aside=$data.by-hand-$(date -u +%Y%m%dT%H%M%SZ)
export ETCDCTL_API=3; unset ETCDCTL_ENDPOINTS ETCDCTL_DIAL_TIMEOUT ETCDCTL_COMMAND_TIMEOUT    # beside a flag etcdctl refuses them
fail() { echo "Stopped: $*. Nothing after it was done; \`heal-node plan --manual\` prints what is left." >&2; exit 1; }
ctl() { "$etcdctl" --dial-timeout=3s --command-timeout=10s "$@"; }
others() { ctl --endpoints="$others" "$@"; }
tries() { n=0; until "$@"; do n=$((n + 1)); [ "$n" -lt 60 ] || fail "$* has not succeeded in 60 tries"; sleep 1; done; }
serves() { ctl --endpoints="$1" --command-timeout=2s get x >/dev/null 2>&1; }
mustNotServe() { if [ -z "$diverged" ] && serves "$own"; then fail "$own serves: this member is not to be replaced"; fi; }
quorumServes() {
  n=0
  for e in $each; do if serves "$e"; then n=$((n + 1)); fi; done
  [ "$n" -ge "$quorum" ] || fail "$n members serve without this one, $quorum must"
}
mustBeStopped() {
  for u in "$unit" "$copyUnit"; do
    case $(systemctl is-active "$u") in active | activating | deactivating | reloading) fail "$u runs" ;; esac
  done
}
why='the commands of plan --manual' for=2h
ours() { grep -qF ": $why;" "$paused" 2>/dev/null; }
if ours; then :; elif [ -n "$(find "$paused" -mmin -1440 2>/dev/null)" ]; then cp -p "$paused" "$paused.before"
else rm -f "$paused.before"; fi
if [ -e "$paused.before" ]; then for=24h; fi    # no shorter than another person's, which is put back at the end
"$healNode" pause --for "$for" --reason "$why"    # anew: the file of one that is over stays
if [ -e "$journal" ] && systemctl is-active --quiet "$healUnit"; then
  fail "$healUnit is at a heal, which a pause does not end: see heal-node status"
fi
### certificates | scp -P 16022 -rp $otherIp:/var/lib/etcd/ssl /var/lib/etcd; chown -R etcd:etcd /var/lib/etcd/ssl
certs='ca-key ca client-key client server-key server peer-key peer'    # the CA's key first: without the rest it counts as lost
hostOf() { h=${1#*://}; echo "${h%:*}"; }
offered=$(mktemp -d)
trap 'rm -rf "$offered"' EXIT
# By their names the others are called, and of a name the first line counts.
printf '%s' "$hosts" | grep -vxFf /etc/hosts >"$offered/hosts" || true
if [ -s "$offered/hosts" ]; then
  cat /etc/hosts >>"$offered/hosts"
  cat "$offered/hosts" >/etc/hosts
fi
refuse() { echo "$ip: $*" >&2; return 1; }
names() { openssl x509 -noout -checkhost "$2" -in "$offered/$1.pem" | grep -q 'does match' || refuse "$1.pem does not name $2"; }
fits() {    # what is offered: all of it, of the authority by which the others are verified here, and each with its key
  for f in $certs; do [ -s "$offered/$f.pem" ] || refuse "lacks $f.pem" || return 1; done
  [ "$(cat "$offered/ca.pem")" = "$(cat "$ETCDCTL_CACERT")" ] || refuse "has another ca.pem than the others are verified by" || return 1
  for f in ca client server peer; do
    openssl verify -CAfile "$offered/ca.pem" -untrusted "$offered/$f.pem" "$offered/$f.pem" >/dev/null || refuse "$f.pem is not good" || return 1
    [ "$(openssl x509 -noout -pubkey -in "$offered/$f.pem")" = "$(openssl pkey -pubout -in "$offered/$f-key.pem")" ] ||
      refuse "the key of $f.pem belongs to another certificate" || return 1
  done
  names server "$(hostOf "$own")" && names peer "$(hostOf "$peer")"
}
from=
for e in $each; do
  ip=$(echo "$hosts" | awk -v name="$(hostOf "$e")" 'tolower($2) == name { print $1; exit }')
  if [ -n "$ip" ] && [ -z "$from" ]; then
    rm -f "$offered"/*.pem
    if scp -o BatchMode=yes -P 16022 -p "$ip:$ssl/*.pem" "$offered/" && fits; then from=$ip; fi
  fi
done
[ -n "$from" ] || fail "no node that serves offers certificates that can be used"
old=$newUrls    # all are there, and the app has made others since
for f in ${certs#* }; do [ -f "$ssl/$f.pem" ] || old=; done
for f in $certs; do
  if [ -z "$old" ] && [ -e "$ssl/$f.pem" ] && ! cmp -s "$offered/$f.pem" "$ssl/$f.pem"; then
    fail "$ssl/$f.pem is there, and is another one than that of $from; move it away"
  fi
done
hasEnv() { grep -q '[^[:space:]]' "$env"; }
if hasEnv; then :; else
  # With certificates there the app's start makes none, and the gate refuses etcd's start: it has to know of this member.
  [ -e "$mark" ] || echo 'has been a member' >"$mark"
  code=0
  "$healNode" gate || code=$?
  [ "$code" = 3 ] || fail "the gate lets etcd start, and its data are gone (is HEAL_MODE off?)"
fi
for d in "${ssl%/*}" "$ssl"; do [ -d "$d" ] || install -d -o "$user" -g "$(id -gn "$user")" -m 755 "$d"; done
for f in $certs; do
  case $f in *-key) mode=600 ;; *) mode=644 ;; esac
  install -o "$user" -g "$(id -gn "$user")" -m "$mode" "$offered/$f.pem" "$ssl/$f.pem.new"
  sync "$ssl/$f.pem.new"
  mv -T "$ssl/$f.pem.new" "$ssl/$f.pem"    # whole, or not at all
done
export ETCDCTL_CACERT="$ssl/ca.pem" ETCDCTL_CERT="$ssl/client.pem" ETCDCTL_KEY="$ssl/client-key.pem"
rm -rf "$client"    # that of the metadata service
if hasEnv; then :; else CTL_SH_APP=1 timeout 120 $appStart || true; fi
hasEnv || fail "$appStart has not written $env"
### fence | mv etcd.service etcd1.service; systemctl daemon-reload; systemctl stop etcd
mustNotServe
quorumServes
if [ -f "$unitFile" ]; then
  mkdir -p -m 700 "$originals"
  if [ -e "$originals/$unit" ]; then :; else
    stat -c '%a %u %g' "$unitFile" | { read -r mode uid gid
      printf '{"mode":%d,"uid":%d,"gid":%d}\n' "0$mode" "$uid" "$gid" >"$originals/rights.json"; }
    cp "$unitFile" "$originals/$unit.new"
    sync    # a power loss would leave it empty
    mv -T "$originals/$unit.new" "$originals/$unit"
    sync
  fi
  mv -T "$unitFile" "$copyUnitFile"
fi
systemctl daemon-reload
systemctl stop "$unit" || true    # waits up to 90 s; fails where nothing is loaded under the name any more
systemctl reset-failed "$unit" 2>/dev/null || true
if systemctl show -p LoadState "$unit" | grep -q '=loaded$'; then systemctl mask "$unit"; fi
mustBeStopped
### set-aside | rm -rf $dataDir
mustBeStopped
if [ -L "$data" ]; then fail "$data is a link"; fi
if [ -e "$data" ]; then    # else only a WAL dir elsewhere is left, after a cut
  mv -T "$data" "$aside"
  mkdir -m 700 "$data"
  chown --reference="$aside" "$data"
  chmod --reference="$aside" "$data"
fi
if [ -n "$wal" ] && [ -d "$wal" ]; then mv -T "$wal" "$wal.${aside##*.}"; fi
### stage | cp etcd.env etcd1.env; vi etcd1.env etcd1.service; systemctl daemon-reload
if [ -n "$newUrls" ]; then systemctl stop "$copyUnit" || true; fi    # by its old URLs nobody finds it
cp -p "$env" "$copyEnv"
grep -vE "^[[:blank:]]*($(printf '%s' "$values" | sed 's/=.*//' | paste -sd '|' -))=" "$env" >"$copyEnv"
printf '%s' "$values" >>"$copyEnv"    # with the URLs that the app has given its nodes since it wrote the original
sed -i "/^EnvironmentFile=/s#$env#$copyEnv#" "$copyUnitFile"
rm -rf "$copyDropIns"
mkdir "$copyDropIns"
for f in "$unitFile.d"/*.conf; do
  if [ -f "$f" ] && [ "${f##*/}" != "$gate" ]; then
    cp -p "$f" "$copyDropIns/"
    sed -i "/^EnvironmentFile=/s#$env#$copyEnv#" "$copyDropIns/${f##*/}"
  fi
done
printf '[Service]\nTimeoutStartSec=infinity\n' >"$copyDropIns/zz-heal-node.conf"
systemctl daemon-reload
systemctl show -p EnvironmentFiles "$copyUnit" | grep -qF "$copyEnv" || fail "$copyUnit does not read $copyEnv"
### remove | etcdctl member list; etcdctl member remove $oldMemberId
mustNotServe
quorumServes
others member list | grep "^$oldId," | grep -qF -e "$peer," -e "${otherPeer:-$peer}," || fail "$oldId is not the ID that is listed with $peer"
removed() {
  others member remove "$oldId" || true
  list=$(others member list) || return 1
  case $list in *"$oldId, "*) return 1 ;; esac
}
tries removed    # from here there is no way back, only on
### add | etcdctl member add $name --peer-urls=$peerUrls
added() {
  list=$(others member list) || return 1    # of one that lags it may be, and list the old ID
  newId=$(echo "$list" | grep -v "^${oldId:-none}," | grep -F "$peer," | cut -d, -f1)
  if [ -n "$newId" ]; then return 0; fi
  others member add "$name" --peer-urls="$peers"
  return 1
}
tries added
listedByAll() {
  for e in $each; do
    if serves "$e"; then
      list=$(ctl --endpoints="$e" member list) || return 1
      case $list in *"$newId, "*) ;; *) return 1 ;; esac
      case $list in *"${oldId:-none}, "*) return 1 ;; esac
    fi
  done
}
tries listedByAll
### start | systemctl start etcd1
install -d -o "$user" -g "$(id -gn "$user")" -m 700 "$data"
systemctl reset-failed "$copyUnit" 2>/dev/null || true
systemctl start --no-block "$copyUnit"
### verify | etcdctl endpoint health; etcdctl member list; etcdctl endpoint health --cluster
until serves "$own"; do    # as long as data arrive; it may take minutes
  if systemctl is-failed --quiet "$copyUnit"; then fail "$copyUnit has failed, see journalctl -u $copyUnit"; fi
  sleep 1
  du -sh "$data"
done
others member list | grep -F "$peer,"
ctl --endpoints="$own,$others" endpoint status --write-out=table
### restore | mv etcd1.service etcd.service; rm etcd1.env; vi etcd.service; systemctl daemon-reload; systemctl stop etcd1; systemctl start etcd
start="systemctl start $unit"
# What confd has changed meanwhile the app's update has passed over: its start writes etcd.env anew.
if [ -n "$newUrls" ] || [ "$appEnv" -nt "$originals/$unit" ]; then
  if grep -qE "^(export )?ETCD_ENABLE_TLS=[\"']?true" "$appEnv"; then
    [ -f "$ssl/ca.pem" ] || fail "$ssl/ca.pem is missing, and $appStart would make new certificates for all nodes"
    dns=$(sed -nE "s/^(export )?ETCD_CLUSTER_DNS=[\"']?([^\"' ]*).*/\2/p" "$appEnv")
    case $peer in "https://$name$dns:"*) ;; *) fail "the other nodes do not have the names in $appEnv yet" ;; esac
  fi
  start="env CTL_SH_APP=1 $appStart"
fi
if [ -n "$newUrls" ]; then    # the app has had the others listed by theirs
  id=$(others member list | grep -F ", $otherPeer," | cut -d, -f1)
  if [ -n "$id" ]; then others member update "$id" --peer-urls="$peers"; fi
fi
if [ -f "$copyUnitFile" ]; then
  if [ -f "$originals/$unit" ]; then cat "$originals/$unit" >"$copyUnitFile"
  else sed -i "/^EnvironmentFile=/s#$copyEnv#$env#" "$copyUnitFile"; fi
  mv -T "$copyUnitFile" "$unitFile"
fi
rm -rf "$copyDropIns" "$copyEnv"
systemctl stop "$copyUnit" || true    # fails after a cut, where it is loaded no more
systemctl daemon-reload
systemctl reset-failed "$unit" 2>/dev/null || true
$start
sync    # a power loss would leave the unit empty
rm -rf "$originals"
### confirm | etcdctl endpoint health; look at the console
tries serves "$own"
systemctl is-active "$unit"
for f in "$copyUnitFile" "$copyDropIns" "$copyEnv" "$originals"; do
  if [ -e "$f" ]; then fail "$f is still there"; fi
done
others member list
### end
if ours; then    # else somebody has paused heals since, or ended that
  if [ -e "$paused.before" ]; then mv -T "$paused.before" "$paused"; else "$healNode" unpause; fi
fi
rm -f "$paused.before"
echo "Done. What was set aside stays in $data.by-hand-*${wal:+ and $wal.by-hand-*} until you delete it."
