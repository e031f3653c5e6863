#!/bin/bash
# Runs Lua 5.4.4's own test suite (the folder `testes` of Lua's repository at tag v5.4.4, which is not part of lungo).
# usage: scripts/lua-suite.sh DIR [LUNGO]      DIR is left as it is; LUNGO is build/lungo by default
# A line per file, and `N passed, N failed`. Each file runs twice: in the suite's portable mode (as `_U=true` asks for),
# and in full, with the C libraries of libs/ built if there is a compiler. What docs/compatibility.md names as a
# deviation is changed in the copy that runs. SUITE_TIMEOUT: seconds for each file (120).
# The standard input of each file is a pipe: the suite wants one that cannot seek.
set -u
[ $# -ge 1 ] && [ -e "$1/all.lua" ] || { echo "usage: $0 DIR [LUNGO]   (DIR: folder with Lua's all.lua)" >&2; exit 2; }
suite=$(realpath "$1") lungo=$(realpath "${2:-build/lungo}")
limit=${SUITE_TIMEOUT:-120}
portable='_U=true _port=true _soft=true _nomsg=true'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_4
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
cp -R "$suite" "$tmp/t" && cd "$tmp/t" || exit 2

# An uncaught error is reported as `panic: MESSAGE`, not as `PROGRAM: MESSAGE`.
sed -i 's|^NoRun(progname .. ": 6\\n"|NoRun("panic: 6\\n"|' main.lua
# The number of a background script and its output go to one pipe: on a busy machine either may be first. Here the
# number is printed before the script begins.
sed -i "s|string.format('%s -e \"%s\" & echo \$!', progname|string.format([[sh -c 'echo \$\$; exec \"\$@\"' sh %s -e \"%s\" \&]], progname|" main.lua
grep -q 'echo \$\$; exec' main.lua || { echo "main.lua is not that of Lua 5.4.4" >&2; exit 2; }
include=/usr/include/lua5.4
if command -v gcc >/dev/null && [ -e $include/lua.h ]; then
  mkdir -p libs/P1
  for lib in 1:1 11:11 2:2 21:21 2-v2:22; do
    gcc -O2 -I$include -fPIC -shared -o "libs/lib${lib%%:*}.so" "libs/lib${lib##*:}.c" || exit 2
  done
  touch libs/all
fi

passed=0 failed=0
# What main.lua starts in the background, in an endless loop, outlives it when it fails; timeout(1) makes all of it one
# process group.
run() { # run LABEL ARGS...
  local label=$1 status
  shift
  # shellcheck disable=SC2016
  sh -c 'echo $$ >"$0"; exec timeout -k 5 "$@"' "$tmp/pid" "$limit" "$lungo" -W "$@" < <(:) >"$tmp/out" 2>&1
  status=$?
  kill -KILL -- "-$(cat "$tmp/pid")" 2>/dev/null
  if [ $status -eq 0 ]; then
    passed=$((passed + 1))
    echo "PASS $label"
  else
    echo "FAIL $label (status $status)"
    tail -8 "$tmp/out" | sed 's/^/  /'
    failed=$((failed + 1))
  fi
}

files="api attrib bitwise bwcoercion calls closure code constructs coroutine cstack db errors events files gc gengc goto
  literals locals main math nextvar pm sort strings tpack utf8 vararg big verybig"
for f in $files; do run "$f" -e "$portable" "$f.lua"; done
run all -e "$portable" all.lua
for f in $files; do
  case $f in
    big) run "big, in full" -e "local f = coroutine.wrap(assert(loadfile 'big.lua')) assert(f() == 'b' and f() == 'a')" ;;
    *) run "$f, in full" "$f.lua" ;;
  esac
done
run "all, in full" all.lua
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
