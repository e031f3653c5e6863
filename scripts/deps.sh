#!/bin/sh
# Installs the Debian packages lungo needs, those that are missing. This is the one place that names them.
# usage: scripts/deps.sh [build|test|verify|bench|dev]   (each includes build; verify, bench and dev include test)
set -eu

build="gcc libc6-dev binutils liblua5.4-dev libedit-dev"
test="lua5.4 bash coreutils findutils diffutils procps g++ pkg-config cmake make libuv1-dev"
verify="spin"
bench="golang-go"
dev="clang clang-format libclang-rt-14-dev"

case "${1:-build}" in
  build) want="$build" ;;
  test) want="$build $test" ;;
  verify) want="$build $test $verify" ;;
  bench) want="$build $test $bench" ;;
  dev) want="$build $test $dev" ;;
  *) echo "usage: $0 [build|test|verify|bench|dev]" >&2; exit 1 ;;
esac

missing=""
for p in $want; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

echo "installing:$missing"
sudo=""
if [ "$(id -u)" -ne 0 ]; then
  sudo="sudo"
  command -v sudo >/dev/null || {
    printf '%s\n' "$0: installing needs root, or sudo. As root:" "  apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
  }
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$sudo apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 ||
  { $sudo apt-get update && $sudo apt-get install -y --no-install-recommends $missing; }
