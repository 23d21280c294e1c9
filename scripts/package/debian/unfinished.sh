root=${DPKG_ROOT:-}
settings=$root/opt/app/conf/heal-node.env
state=$(cat "$settings" 2>/dev/null | tr -d '\r' | sed -n "s/^[[:space:]]*HEAL_STATE_DIR *= *[\"']*\([^\"' ]*\).*/\1/p" | tail -n 1)
journal=$root${state:-/var/lib/etcd/heal-node}/journal.json
originals=$root/var/lib/heal-node/originals

systemd_runs() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

# Says why a heal is not over; nothing when none is unfinished.
unfinished() {
  if systemd_runs; then
    case $(systemctl show --property=ActiveState heal-node.service) in
    ActiveState=inactive | ActiveState=failed) ;;
    '') echo "systemd does not say whether heal-node.service is at work" && return ;;
    *) echo "heal-node.service is at work" && return ;;
    esac
  fi
  if [ -e "$journal" ]; then
    echo "a heal is not finished ($journal is there)"
  elif [ -d "$originals" ]; then
    echo "the original unit is saved in $originals, and not back yet"
  fi
}
