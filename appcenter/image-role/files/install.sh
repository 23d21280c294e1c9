#!/bin/sh
# What the build of the image runs, as root and after everything that sets owners and modes below /opt: lays heal-node
# and the scripts beside this one. `install.sh ROOT` lays them into an image that is mounted and not running.
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
root=${1:-}
here=$(cd "$(dirname "$0")" && pwd)

if [ -n "$root" ]; then
  "$here/heal-node" install --root "$root"
else
  "$here/heal-node" install
fi
install -d -m 0755 "$root/opt/heal-node/appcenter"
for script in monitor heal-history heal-member; do
  install -m 0755 "$here/$script" "$root/opt/heal-node/appcenter/$script"
done
