#!/bin/sh
# `npm run package:arm64`: the package for arm64 in dist/ is installed, called and removed below a directory, on this
# machine, under qemu's emulation. No machine boots: systemd is there for its files alone. As root, with Debian's
# mmdebstrap and qemu-user-static. binfmt_misc is registered in a user namespace, for these programs and nobody else, which
# needs Linux 6.7 or later.
set -eu

if [ "${1:-}" = --inside ]; then
  root=$2
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
  # Of the ELF header the class, the byte order, the type and the machine (elf.h, EM_AARCH64); F: the emulator is opened now.
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":heal-node-arm64:M::$magic:$mask:$3:F" >/proc/sys/fs/binfmt_misc/register
  mount --rbind /proc "$root/proc"
  mount --rbind /dev "$root/dev"
  exec chroot "$root" /bin/sh /try.sh
fi

package=$(dirname "$0")/../../../dist/heal-node_${npm_package_version:?is set by npm}-1_arm64.deb
emulator=$(command -v qemu-aarch64-static) || { echo 'package:arm64: apt-get install qemu-user-static' >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
packages=dpkg,libc-bin,bash,dash,coreutils,diffutils,init-system-helpers,perl-base,sed,grep,findutils,tar,systemd
mmdebstrap --quiet --mode=root --variant=extract --architectures=arm64 --include=$packages bookworm "$root"
ln -sf dash "$root/bin/sh"
: >"$root/var/lib/dpkg/status"
cp "$package" "$root/heal-node.deb"
cat >"$root/try.sh" <<'END'
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
fail() { echo "FAILED: $*"; exit 1; }
runs() { # EXIT TEXT COMMAND…
  want=$1 text=$2
  shift 2
  code=0
  said=$("$@" 2>&1) || code=$?
  echo "\$ $* (exit $code)"
  echo "$said"
  [ "$code" = "$want" ] || fail "exit $want was expected"
  case $said in *"$text"*) ;; *) fail "\"$text\" was expected" ;; esac
}
runs 0 aarch64 uname -m
# What is only unpacked counts as not installed to dpkg.
runs 0 'Setting up heal-node' dpkg --force-depends --install /heal-node.deb
runs 0 "$(dpkg-query --show --showformat '${Version}' heal-node | cut -d- -f1)" heal-node --version
runs 1 'etcd.env cannot be read' heal-node hook health-check
runs 1 'etcd.env cannot be read' /opt/heal-node/bin/health-check
runs 0 '' heal-node gate
runs 4 'ok   installed' heal-node doctor
runs 0 'Removing heal-node' dpkg --remove heal-node
[ ! -e /opt/heal-node ] || fail '/opt/heal-node is still there'
echo 'All as expected.'
END
unshare --user --map-root-user --mount sh "$0" --inside "$root" "$emulator"
