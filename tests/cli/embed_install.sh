#!/bin/bash
# `make install` into a folder of its own gives what hosts need: the examples of examples/embed are built from there, with
# pkg-config and with cmake, in C and C++, shared and static, and run. The installed command finds the installed
# examples. Protects: Makefile, scripts/lungo*.in, include, cli/repl_command.c (examples_dir).
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath --relative-to=. "$(dirname "$lungo")") # for make, which takes no blanks
# A library with a sanitizer inside can be used by programs with the same one only.
nm "$lungo" | grep -qE ' __(asan_init|tsan_init|ubsan_handle_[a-z_]+)$' && exit 0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "$1"; exit 1; }

make -s install BUILD="$build" DESTDIR="$tmp/dest" PREFIX=/usr >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
export PKG_CONFIG_PATH=$tmp/dest/usr/lib/pkgconfig LD_LIBRARY_PATH=$tmp/dest/usr/lib
flags=$(pkg-config --define-prefix --cflags --libs lungo) || fail "pkg-config does not know lungo"
readelf -d "$LD_LIBRARY_PATH/liblungo.so" | grep -q 'liblua5.4' && fail "liblungo.so needs the package's library"

ex=$tmp/dest/usr/share/lungo/examples/embed
check() { # check NAME EXPECTED: the program $tmp/NAME prints that
  timeout 60 "$tmp/$1" >"$tmp/out" 2>"$tmp/err" || { cat "$tmp/err"; fail "$1 fails"; }
  # On a busy machine the run that exhausts its memory may have had its time before.
  sed -i 's/^8 limit$/8 error/' "$tmp/out"
  [ "$(cat "$tmp/out")" = "$2" ] || { diff <(echo "$2") "$tmp/out"; fail "$1 prints something else"; }
}
workers=$'client 1: 5525\nclient 2: 5525\nclient 3: 5525\nclient 4: 5525'
events=$'result 1\nresult 2\nresult 3\nthe loop went on'
sandbox=$'1 ok: honest\n2 limit\n3 limit\n4 limit\n5 error\n6 ok: has no files\n7 ok: xxx\n8 error'
cxx=$'65\n[string "error(\'caught in C++\')"]:1'

for name in minimal classic workers sandbox; do
  # shellcheck disable=SC2086
  ${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -o "$tmp/$name" "$ex/$name.c" $flags -pthread || fail "$name does not compile"
done
# shellcheck disable=SC2086,SC2046
${CC:-cc} -Wall -Wextra -Werror -o "$tmp/eventloop" "$ex/eventloop.c" $flags $(pkg-config --cflags --libs libuv) || fail "eventloop does not compile"
# shellcheck disable=SC2086
c++ -std=c++17 -Wall -Wextra -Werror -o "$tmp/host" "$ex/host.cpp" $flags -pthread || fail "host.cpp does not compile"
# shellcheck disable=SC2086
echo '#include <lungo.h>
int main(void) { return 0; }' | ${CC:-cc} -std=c99 -pedantic -Werror -x c - $(pkg-config --define-prefix --cflags lungo) -o "$tmp/alone" || fail "lungo.h does not compile alone"
check minimal 42
check classic goroutines
check workers "$workers"
check eventloop "$events"
check sandbox "$sandbox"
check host "$cxx"

cmake -S "$ex" -B "$tmp/cmake" -DCMAKE_PREFIX_PATH="$tmp/dest/usr" >"$tmp/log" 2>&1 &&
  cmake --build "$tmp/cmake" >>"$tmp/log" 2>&1 || { cat "$tmp/log"; fail "cmake"; }
for name in minimal minimal_static; do
  [ "$(timeout 60 "$tmp/cmake/$name")" = 42 ] || fail "$name as built by cmake"
done
# The command, away from the checkout.
usr=$tmp/dest/usr
for f in bin/lungo share/man/man1/lungo.1 share/bash-completion/completions/lungo share/zsh/site-functions/_lungo \
  share/fish/vendor_completions.d/lungo.fish lib/cmake/lungo/lungo-config.cmake lib/cmake/lungo/lungo-config-version.cmake \
  lib/pkgconfig/lungo.pc lib/liblungo.a lib/liblungo.so.0 include/lungo/lungo.h; do
  [ -s "$usr/$f" ] || fail "not installed: $f"
done
for dir in examples examples/embed; do
  [ -z "$(diff -rq "$dir" "$usr/share/lungo/$dir")" ] || fail "$dir is not installed as it is"
done
printf ':run ping\n:examples select\n' | (cd "$tmp" && timeout 60 "$usr/bin/lungo" -i) >"$tmp/out" 2>"$tmp/err"
grep -q '^ping$' "$tmp/out" || fail "the installed :run ping prints: $(cat "$tmp/out" "$tmp/err")"
grep -q 'select/quit' "$tmp/out" || fail "the installed :examples prints: $(cat "$tmp/out" "$tmp/err")"
echo ok
