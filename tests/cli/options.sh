#!/bin/bash
# Options, arg table, exit statuses of the command.
lungo=$1
case $lungo in /*) ;; *) lungo=$PWD/$lungo ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4
bad=0
check() { # check NAME WANT_STATUS WANT_STDOUT COMMAND...
  local name=$1 ws=$2 want=$3 got
  shift 3
  got=$("$@" 2>err </dev/null)
  local s=$?
  if [ $s -ne "$ws" ] || [ "$got" != "$want" ]; then
    echo "FAIL $name: status $s (want $ws), output: $got (want: $want), stderr: $(head -3 err)"
    bad=1
  fi
}
err() { grep -Eq -- "$1" err || { echo "FAIL: no line of stderr matches: $1; it is: $(cat err)"; bad=1; }; }

check "-e" 0 "3" "$lungo" -e 'print(1+2)'
check "-e joined" 0 "3" "$lungo" '-eprint(1+2)'
check "several -e" 0 $'1\n2' "$lungo" -e 'x=1 print(x)' -e 'print(x+1)'
check "-e syntax" 1 "" "$lungo" -e 'x ='
err "^$lungo: \(command line\):1: unexpected symbol near <eof>$"
check "-e error" 2 "" "$lungo" -e 'error("boom")'
err '^panic: \(command line\):1: boom$'
check "-e without argument" 1 "" "$lungo" -e
err "'-e' needs argument"
check "-e before an option" 1 "" "$lungo" -e -v
err "'-e' needs argument"
check "-l before an option" 1 "" "$lungo" -l -v
err "'-l' needs argument"
check "-vv" 1 "" "$lungo" -vv
err "unrecognized option '-vv'"
check "---" 1 "" "$lungo" ---
err "unrecognized option '---'"
check "nothing runs before a bad option" 1 "" "$lungo" -e 'print(1)' -y
check "after a chunk that does not load nothing runs" 1 "" "$lungo" -e 'x =' -e 'print(1)'
check "the state is closed then too" 1 "gc" "$lungo" -e 'setmetatable({}, {__gc = function() print("gc") end})' none.lua
err "^$lungo: cannot open none.lua"
check "unknown option" 1 "" "$lungo" -x
err "unrecognized option '-x'"
err '^usage: '
check "unknown long option" 1 "" "$lungo" --nonsense
check "-E with junk" 1 "" "$lungo" -Ex
check "--maxprocs bad" 1 "" "$lungo" --maxprocs zero -e ''
check "--maxprocs 0" 1 "" "$lungo" --maxprocs 0 -e ''
check "--maxprocs none" 1 "" "$lungo" --maxprocs
check "--maxprocs" 0 "3" "$lungo" --maxprocs 3 -e 'print(runtime.gomaxprocs())'
check "LUNGOMAXPROCS" 0 "5" env LUNGOMAXPROCS=5 "$lungo" -e 'print(runtime.gomaxprocs())'
check "--seed" 0 "1" "$lungo" --seed 7 -e 'print(runtime.gomaxprocs())'
check "--seed bad" 1 "" "$lungo" --seed x -e ''
"$lungo" --version >out || bad=1
grep -Eq '^lungo [0-9.]+.*Lua 5\.4' out || { echo "FAIL --version: $(cat out)"; bad=1; }
"$lungo" -v >out </dev/null || bad=1
grep -q '^lungo ' out || bad=1
"$lungo" --help >out || bad=1
grep -q -- '--maxprocs' out || { echo "FAIL --help"; bad=1; }
check "-l" 0 "true" "$lungo" -l string -e 'print(string == require "string")'
echo 'return {v = 42}' >mod.lua
check "-l module" 0 "42" "$lungo" -l mod -e 'print(mod.v)'
check "-l g=mod" 0 "42" "$lungo" -l g=mod -e 'print(g.v)'
check "-l missing" 2 "" "$lungo" -l no_such_module -e ''
err "module 'no_such_module' not found"
cat >s.lua <<'E'
print(#arg, arg[0], arg[1], arg[2], arg[-1] ~= nil, ...)
E
echo 'print(...)' >s2.lua
echo 'print(arg[-3], arg[-2], arg[-1], arg[0], arg[1], arg[2], arg[-5])' >s3.lua
check "script and arg" 0 $'2\ts.lua\ta\tb c\ttrue\ta\tb c' "$lungo" s.lua a "b c"
check "options behind the script are its own" 0 $'2\ts.lua\t-e\tx\ttrue\t-e\tx' "$lungo" s.lua -e x
check "--" 0 $'0\ts.lua\tnil\tnil\ttrue' "$lungo" -- s.lua
check "arg changed before" 0 $'7\tb' "$lungo" -e 'arg[1] = 7' s2.lua a b
check "arg no table" 1 "" "$lungo" -e 'arg = 1' s2.lua
err "^$lungo: 'arg' is not a table$"
check "arg with options" 0 $'-e\t \t--\ts3.lua\tx\tnil\tnil' "$lungo" -e ' ' -- s3.lua x
check "missing script" 1 "" "$lungo" none.lua
err 'cannot open'
echo 'x = = 1' >bad.lua
check "bad script" 1 "" "$lungo" bad.lua
err "bad.lua:1: unexpected symbol near '='"
printf '#!/usr/bin/env lungo\nprint("sharp")\n' >sharp.lua
check "#! line" 0 "sharp" "$lungo" sharp.lua
got=$(echo 'print("from stdin", ...)' | "$lungo" - a b)
[ "$got" = $'from stdin\ta\tb' ] || { echo "FAIL -: $got"; bad=1; }
got=$(echo 'print("piped")' | "$lungo")
[ "$got" = "piped" ] || { echo "FAIL stdin: $got"; bad=1; }
got=$(printf 'x = 5\nx + 1\n= x\nfor i = 1, 2 do\nprint(i)\nend\nerror("e")\nprint("on")\n' | "$lungo" -i 2>err)
for w in 6 5 1 2 on; do echo "$got" | grep -Eq "(^|[> ])$w\$" || { echo "FAIL -i: no $w in: $got"; bad=1; }; done
err 'stdin:1: e'
check "-W" 0 "" "$lungo" -W -e 'warn("careful")'
err '^Lua warning: careful$'
printf 'warn("@on", "a")\nwarn("@on")\nwarn("b", "c")\nwarn("@off")\nwarn("d")\n' >warn.lua
check "warnings on and off" 0 "" "$lungo" warn.lua
[ "$(cat err)" = "Lua warning: bc" ] || { echo "FAIL @on: $(cat err)"; bad=1; }
check "no -W" 0 "" "$lungo" -e 'warn("careful")'
[ -s err ] && { echo "FAIL: warning although off"; bad=1; }
check "LUA_INIT_5_4 first" 0 "54" env LUA_INIT_5_4='print(54)' LUA_INIT='print(5)' "$lungo" -e ''
echo 'print("from file", arg[0])' >init.lua
check "LUA_INIT=@file" 0 $'from file\ts2.lua' env LUA_INIT=@init.lua "$lungo" s2.lua
check "LUA_INIT=@missing" 1 "" env LUA_INIT=@nofile.lua "$lungo" -e 'print(1)'
check "LUA_INIT with an error" 2 "" env LUA_INIT='error("msg")' "$lungo" -e 'print(1)'
err '^panic: LUA_INIT:1: msg$'
check "LUA_INIT" 0 "init" env LUA_INIT='print("init")' "$lungo" -e ''
check "-E" 0 "" env LUA_INIT='print("init")' "$lungo" -E -e ''
check "LUA_PATH" 0 "/x/?.lua" env LUA_PATH='/x/?.lua' "$lungo" -e 'print(package.path)'
check "-E ignores LUA_PATH" 0 "false" env LUA_PATH='/x/?.lua' "$lungo" -E -e 'print(package.path == "/x/?.lua")'
check "os.exit" 7 "" "$lungo" -e 'os.exit(7)'
check "os.exit true" 0 "" "$lungo" -e 'os.exit(true)'
check "os.exit false" 1 "" "$lungo" -e 'os.exit(false)'
check "os.exit flushes" 0 "x" "$lungo" -e 'io.write("x") os.exit(0)'
check "os.exit closes" 3 "gc" "$lungo" -e 'setmetatable({}, {__gc = function() print("gc") end}) os.exit(3, true)'
check "os.exit in a goroutine" 4 "" "$lungo" -e 'go(function() os.exit(4) end) time.sleep(10)'
check "main ends first" 0 "main" "$lungo" -e 'go(function() time.sleep(10) print("late") end) print("main")'
exit $bad
