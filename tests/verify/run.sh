#!/bin/bash
# Checks the models: tests/verify/run.sh WORK_DIR [MODEL...]
# A model says what is to be checked in comments:
#   // check: FLAGS    spin and the compiler get FLAGS; the whole state space must be explored without an error
#   // sample: FLAGS   too large for that: two minutes of it, hashed into bits, must be without an error
#   // fair: FLAGS     the same for its LTL property, under weak fairness
#   // mutant: FLAGS   a seeded error: one must be found (`fair mutant:` likewise)
#   // pan: ARGS       for all of them, arguments of the checker (-E: threads may sleep for ever in the end)
# One line each: result, states, seconds. Ends with `N checks, N mutants caught, N failed`.
set -u
work=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- "$here"/*.pml
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$work"
jobs=${VERIFY_JOBS:-$(nproc)}

# one NUMBER MODEL KIND FLAGS...
one() {
  local trail=$work/$1.trail dir=$tmp/$1 model=$2 kind=$3 begin=$EPOCHREALTIME out=$tmp/$1/out verify="-DSAFETY -DCOLLAPSE" args="-w22"
  shift 3
  mkdir -p "$dir" && cd "$dir" || exit 1
  case $kind in
    fair*) verify="-DNFAIR=3 -DCOLLAPSE" args="-w22 -a -f" ;;
    sample) verify="-DSAFETY -DBITSTATE" args="-w33 -Q2" ;;
  esac
  args="$args $(sed -n 's/^\/\/ pan: //p' "$here/$model")"
  # shellcheck disable=SC2086
  if ! { spin -a "$@" "$here/$model" && gcc -w -O0 $verify -DMEMLIM=3000 -DVECTORSZ=4096 -o pan pan.c &&
    (ulimit -t 600 && ./pan -m2000000 $args); } >"$out" 2>&1; then
    echo "pan or spin failed" >>"$out"
  fi
  local errors states
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$out")
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$out")
  local result=FAIL
  if [ "$kind" != sample ] && [ "${errors:-0}" = 0 ] &&
    grep -qE 'max search depth too small|out of memory|Search not completed|memory limit' "$out"; then :
  elif [ "${errors:-}" = 0 ]; then
    case $kind in *mutant) ;; *) result=ok ;; esac
  elif [ -n "${errors:-}" ]; then
    case $kind in *mutant) result=caught ;; esac
  fi
  local what
  what=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$out" | head -1)
  printf '%-6s %-9s %10s states %6.1f s  %s %s%s\n' "$result" "$model" "${states:-?}" \
    "$(awk "BEGIN { print $EPOCHREALTIME - $begin }")" "$kind" "$*" "${what:+: $what}"
  if [ $result = FAIL ]; then
    grep -vE '^(Depth|pan: reducing)' "$out" | head -8
    [ -f ./*.trail ] 2>/dev/null && cp ./*.trail "$trail" && echo "trail: $trail" \
      "(spin -t -k $trail -p -g $* $here/$model)"
  fi
}

n=0
{
  for f in "$@"; do
    sed -nE 's/^\/\/ (check|sample|mutant|fair|fair mutant): ?(.*)$/\1|\2/p' "$f" | while IFS='|' read -r kind flags; do
      echo "$(basename "$f")|$kind|$flags"
    done
  done
} >"$tmp/list"
while IFS='|' read -r model kind flags; do
  n=$((n + 1))
  # shellcheck disable=SC2086
  one $n "$model" "$kind" $flags &
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
done <"$tmp/list" > >(tee "$tmp/log")
wait
ok=$(grep -c '^ok ' "$tmp/log") caught=$(grep -c '^caught ' "$tmp/log") failed=$(grep -c '^FAIL ' "$tmp/log")
echo "$ok checks, $caught mutants caught, $failed failed"
[ "$failed" -eq 0 ] && [ $((ok + caught)) -eq "$(wc -l <"$tmp/list")" ] && [ "$ok" -gt 0 ]
