#!/bin/bash
# Who may not install packages is told what to install, and nothing is tried. Protects: scripts/deps.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# A machine with none of the packages, without sudo, and somebody who is not root.
printf '#!/bin/sh\nexit 1\n' >"$tmp/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$tmp/id"
printf '#!/bin/sh\necho "installs: $*"\n' >"$tmp/apt-get"
chmod +x "$tmp"/*
ln -s "$(command -v grep)" "$tmp/grep"
out=$(PATH=$tmp /bin/sh scripts/deps.sh build 2>&1)
status=$?
[ $status -eq 1 ] || { echo "status $status, not 1"; echo "$out"; exit 1; }
case $out in
  *"installs: "*) echo "it tried to"; exit 1 ;;
  *"As root:"*"apt-get install --no-install-recommends gcc "*) exit 0 ;;
esac
echo "not what is to be told: $out"
exit 1
