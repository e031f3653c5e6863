#!/bin/bash
# Speed tables: lungo against lua5.4 for the language, against Go for goroutines and channels. Ratios below 1 mean that
# lungo is faster. Every figure is the median of RUNS runs (default 5), the two sides taken in turn.
# usage: bench/run.sh path/to/lungo [lang|lib|par|conc|gc ...]
set -u
export LC_ALL=C
lungo=$(realpath "$1")
shift
cd "$(dirname "$0")" || exit 1
runs=${RUNS:-5}
what=${*:-lang lib par conc gc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

median() { sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
# A bar of `-`: there is none.
verdict() { [ "$2" = - ] || awk -v r="$1" -v bar="$2" 'BEGIN { print (r <= bar) ? "ok" : "MISSED" }'; }
wall() { # wall COMMAND...: seconds of the whole process
  local t0=$EPOCHREALTIME
  "$@" >/dev/null || { echo "failed: $*" >&2; exit 1; }
  awk -v a="$t0" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}
first() { "$@" | awk '{ print $1 }'; }
both() { { "$@" & "$@"; wait; } | sort -g | tail -1; } # two processes at once: the figure of the slower one

# compare FUNCTION BAR NAME -- A... -- B...: medians of the first word that A and B print (or of their wall time)
compare() {
  local how=$1 bar=$2 name=$3 a=() b=()
  shift 4
  while [ "$1" != "--" ]; do a+=("$1"); shift; done
  shift
  b=("$@")
  : >"$tmp/a"
  : >"$tmp/b"
  for ((i = 0; i < runs; i++)); do
    $how "${a[@]}" >>"$tmp/a" || return 1
    $how "${b[@]}" >>"$tmp/b" || return 1
  done
  local ma mb r
  ma=$(median <"$tmp/a")
  mb=$(median <"$tmp/b")
  r=$(ratio "$ma" "$mb")
  printf '| %-34s | %10s | %10s | %6s | %5s | %s |\n' "$name" "$ma" "$mb" "$r" "$bar" "$(verdict "$r" "$bar")"
  echo "$r" >>"$tmp/ratios"
}
header() {
  printf '\n| %-34s | %10s | %10s | %6s | %5s | %s |\n' "$1" "$2" "$3" ratio bar ""
  echo "|---|---|---|---|---|---|"
}
geomean() { awk '{ s += log($1) } END { printf "geometric mean of the ratios: %.3f\n", exp(s / NR) }' "$tmp/ratios"; }

bench_lang() {
  header "language (s, whole process)" lungo lua5.4
  : >"$tmp/ratios"
  for f in lang/*.lua; do compare wall 1.0 "$(basename "$f" .lua)" -- "$lungo" "$f" -- lua5.4 "$f"; done
  geomean
}
# Programs that print lines `name figure`: the median of each name, side by side.
medians() { sort -k1,1 -k2,2g | awk -F'\t' '
  $1 != name { if (n) print name "\t" (n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2); name = $1; n = 0 }
  { v[++n] = $2 }
  END { if (n) print name "\t" (n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2) }' "FS=\t"; }
tabbed() { sed 's/ \([^ ]*\)$/\t\1/'; }
compare_lines() { # TITLE -- A... -- B...
  local title=$1 a=() b=()
  shift 2
  while [ "$1" != "--" ]; do a+=("$1"); shift; done
  shift
  b=("$@")
  : >"$tmp/a"
  : >"$tmp/b"
  for ((i = 0; i < runs; i++)); do
    "${a[@]}" | tabbed >>"$tmp/a"
    "${b[@]}" | tabbed >>"$tmp/b"
  done
  header "$title" lungo lua5.4
  : >"$tmp/ratios"
  while IFS=$'\t' read -r name x y; do
    local r
    r=$(ratio "$x" "$y")
    printf '| %-34s | %10s | %10s | %6s | %5s | %s |\n' "$name" "$x" "$y" "$r" 1.0 "$(verdict "$r" 1.0)"
    echo "$r" >>"$tmp/ratios"
  done < <(join -t$'\t' <(medians <"$tmp/a") <(medians <"$tmp/b"))
  geomean
}
bench_lib() {
  compare_lines "library (ns a call)" -- "$lungo" lib/lib.lua -- lua5.4 lib/lib.lua
  local inc build
  inc=$(dirname "$(ls /usr/include/lua5.4/lua.h)")
  build=$(dirname "$lungo")
  gcc -O2 -I"$inc" lib/capi.c "$build/liblungo.a" -Wl,-E -lm -ldl -pthread -o "$tmp/capi_lungo" || exit 1
  gcc -O2 -I"$inc" lib/capi.c -l:liblua5.4.a -lm -ldl -o "$tmp/capi_lua" || exit 1
  compare_lines "lua.h from C (ns a call)" -- "$tmp/capi_lungo" -- "$tmp/capi_lua"
}
bench_par() {
  header "one after the other (s)" lungo lua5.4
  for f in fib owntables sharedread closures; do
    compare first 1.0 "$f" -- "$lungo" par/$f.lua seq -- lua5.4 par/$f.lua
  done
  header "two goroutines (s)" "2 procs" "1 proc"
  for f in fib owntables sharedread closures; do
    compare first 0.556 "$f (bar: 1.8 times as fast)" -- "$lungo" --maxprocs 2 par/$f.lua -- "$lungo" --maxprocs 1 par/$f.lua
    # What the machine gives: independent processes. Where this ratio is not near 0.5, the other one says little.
    compare eval - "  machine: two processes, one" -- both "$lungo" par/$f.lua once -- first "$lungo" par/$f.lua twice
  done
}
bench_conc() {
  for f in conc/*.go; do go build -o "$tmp/$(basename "$f" .go)" "$f" || exit 1; done
  header "goroutines, 1 processor each (ns)" lungo Go
  export GOMAXPROCS=1 LUNGOMAXPROCS=1
  compare first 1.0 "unbuffered round trip" -- "$lungo" conc/pingpong.lua -- "$tmp/pingpong"
  compare first 1.0 "one way, unbuffered" -- "$lungo" conc/oneway.lua -- "$tmp/oneway"
  compare first 1.0 "gosched" -- "$lungo" conc/gosched.lua -- "$tmp/gosched"
  compare first 1.0 "select over two channels" -- "$lungo" conc/select2.lua -- "$tmp/select2"
  compare first 1.5 "one way, buffer 100" -- "$lungo" conc/oneway.lua 100 -- "$tmp/oneway" 100
  compare first 3.0 "mutex, two contenders" -- "$lungo" conc/mutex.lua -- "$tmp/mutex"
  compare first 1.5 "mutex, uncontended" -- "$lungo" conc/uncontended.lua -- "$tmp/uncontended"
  compare first 1.5 "atomic.int add" -- "$lungo" conc/atomicadd.lua -- "$tmp/atomicadd"
  compare first 1.5 "sync.map load" -- "$lungo" conc/mapload.lua -- "$tmp/mapload"
  compare first 1.5 "timer made and stopped" -- "$lungo" conc/timers.lua -- "$tmp/timers"
  compare first 1.5 "context cancelled, per child" -- "$lungo" conc/ctxcancel.lua -- "$tmp/ctxcancel"
  compare first 1.5 "the same with making it" -- "$lungo" conc/ctxcancel.lua make -- "$tmp/ctxcancel" make
  unset GOMAXPROCS LUNGOMAXPROCS
  header "goroutines, 2 processors" lungo Go
  compare first 1.0 "unbuffered round trip (ns)" -- "$lungo" conc/pingpong.lua -- "$tmp/pingpong"
  for size in 0 100 1000; do
    compare first 1.0 "one way, buffer $size (ns)" -- "$lungo" conc/oneway.lua $size -- "$tmp/oneway" $size
    compare first 1.0 "4 to 4 goroutines, buffer $size (ns)" -- "$lungo" conc/workers.lua $size -- "$tmp/workers" $size
  done
  compare first 3.0 "mutex, two contenders (ns)" -- "$lungo" conc/mutex.lua -- "$tmp/mutex"
  compare first 1.5 "rwmutex, two readers (ns)" -- "$lungo" conc/rlock.lua -- "$tmp/rlock"
  compare first 1.0 "200,000 at once (ns each)" -- "$lungo" conc/spawn.lua -- "$tmp/spawn"
  compare first 1.5 "waves of 100 (ns each)" -- "$lungo" conc/spawn.lua waves -- "$tmp/spawn" waves
  compare first 1.5 "prime sieve, 1000 primes (ms)" -- "$lungo" conc/primes.lua -- "$tmp/primes"
  compare first 1.0 "skynet, 100,000 leaves (ms)" -- "$lungo" conc/skynet.lua -- "$tmp/skynet"
  compare first 1.0 "1,000,000 parked, woken (ms)" -- "$lungo" conc/million.lua -- "$tmp/million"
  echo
  echo "bytes of resident set per parked goroutine (bar: 800): $("$lungo" conc/million.lua | awk '{ print $2 }')"
  for p in 1 2; do
    "$lungo" --maxprocs $p conc/ticks.lua |
      awk -v p=$p '{ print "10 ms ticker beside an endless loop, " p " processors: " $2 " of 100 ticks, latest by " $1 " ms (bar: 30)" }'
  done
}
bench_gc() {
  echo
  "$lungo" --maxprocs 2 gc/pause.lua | awk '{ print "longest pause with " $2 " MB live, 2 processors: " $1 " ms (bar: 150)" }'
}
for w in $what; do "bench_$w"; done
