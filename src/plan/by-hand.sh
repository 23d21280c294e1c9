# The commands of `heal-node plan --manual`: what a person does in the place of each step of the heal. POSIX sh.
# Behind each step's ID stands what the old runbook has a person type, for the demo and the docs.
# src/plan/by-hand.ts puts the values of a node before them, and all of it into one subshell with `set -eu`. Each section
# may be run again after a cut. No `!` stands before a word: pasted into bash that would be a command of its history.
### begin
umask 022
peer=${peers%%,*} each=$(echo "$others" | tr , ' ')
aside=$data.by-hand-$(date -u +%Y%m%dT%H%M%SZ)
export ETCDCTL_API=3
fail() { echo "Stopped: $*. Nothing after it was done; \`heal-node plan --manual\` prints what is left." >&2; exit 1; }
ctl() { "$etcdctl" --dial-timeout=3s --command-timeout=10s "$@"; }
others() { ctl --endpoints="$others" "$@"; }
tries() { n=0; until "$@"; do n=$((n + 1)); [ "$n" -lt 60 ] || fail "$* has not succeeded in 60 tries"; sleep 1; done; }
serves() { ctl --endpoints="$1" --command-timeout=2s get x >/dev/null 2>&1; }
mustNotServe() { if serves "$own"; then fail "$own serves: this member is not to be replaced"; fi; }
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
if systemctl is-active --quiet heal-node.service; then
  fail "heal-node.service is at work; see heal-node status --watch, or stop it with systemctl stop heal-node.service"
fi
if [ -e "$paused" ]; then :; else "$healNode" pause --for 2h --reason 'a runbook by hand'; fi
### certificates | scp -P 16022 -rp $otherIp:/var/lib/etcd/ssl /var/lib/etcd; chown -R etcd:etcd /var/lib/etcd/ssl
fail "the certificates are gone: bring them back first, see docs/runbook.md, certificates"
### fence | mv etcd.service etcd1.service; systemctl daemon-reload; systemctl stop etcd
mustNotServe
quorumServes
if [ -f "$unitFile" ]; then
  mkdir -p -m 700 "$originals"
  if [ -e "$originals/$unit" ]; then :; else
    stat -c '%a %u %g' "$unitFile" | { read -r mode uid gid
      printf '{"mode":%d,"uid":%d,"gid":%d}\n' "0$mode" "$uid" "$gid" >"$originals/rights.json"; }
    cp "$unitFile" "$originals/$unit"
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
mv -T "$data" "$aside"
mkdir -m 700 "$data"
chown --reference="$aside" "$data"
chmod --reference="$aside" "$data"
if [ -n "$wal" ] && [ -d "$wal" ]; then mv -T "$wal" "$wal.${aside##*.}"; fi
### stage | cp etcd.env etcd1.env; vi etcd1.env etcd1.service; systemctl daemon-reload
cp -p "$env" "$copyEnv"
grep -v -e '^ETCD_INITIAL_CLUSTER=' -e '^ETCD_INITIAL_CLUSTER_STATE=' "$env" >"$copyEnv"
printf '%s\n' ETCD_INITIAL_CLUSTER_STATE=existing "ETCD_INITIAL_CLUSTER=$cluster" >>"$copyEnv"
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
others member list | grep "^$oldId," | grep -qF "$peer," || fail "$oldId is not the ID that is listed with $peer"
removed() {
  others member remove "$oldId" || true
  list=$(others member list) || return 1
  case $list in *"$oldId, "*) return 1 ;; esac
}
tries removed    # from here there is no way back, only on
### add | etcdctl member add $name --peer-urls=$peerUrls
added() {
  list=$(others member list) || return 1
  case $list in *"$peer",*) return 0 ;; esac
  others member add "$name" --peer-urls="$peers"
  return 1
}
tries added
newId=$(others member list | grep -F "$peer," | cut -d, -f1)
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
if [ -f "$copyUnitFile" ]; then
  if [ -f "$originals/$unit" ]; then cat "$originals/$unit" >"$copyUnitFile"
  else sed -i "/^EnvironmentFile=/s#$copyEnv#$env#" "$copyUnitFile"; fi
  mv -T "$copyUnitFile" "$unitFile"
fi
rm -rf "$copyDropIns" "$copyEnv"
systemctl stop "$copyUnit"
systemctl daemon-reload
systemctl reset-failed "$unit" 2>/dev/null || true
systemctl start "$unit"
rm -rf "$originals"
### confirm | etcdctl endpoint health; look at the console
tries serves "$own"
systemctl is-active "$unit"
for f in "$copyUnitFile" "$copyDropIns" "$copyEnv" "$originals"; do
  if [ -e "$f" ]; then fail "$f is still there"; fi
done
others member list
### end
"$healNode" unpause
echo "Done. What was set aside stays in $data.by-hand-* until you delete it."
