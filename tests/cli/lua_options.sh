#!/bin/bash
# The options, scripts, standard input and environment of `lua`: what lungo prints, where, and its status are those of
# lua5.4, but for the version line and the text of --help after an error. Uncaught errors differ on purpose (options.sh).
# Protects: cli/main.c.
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_4
bad=0 stdin='' vars=()
ran() { # ran COMMAND...: output, status and messages of one of the two
  printf "$stdin" | env "${vars[@]}" "$@" >out 2>err
  echo "status ${PIPESTATUS[1]}"
  sed "/^Lua 5.4.*PUC-Rio\$/d; /^lungo [0-9.]*, libraries of/d" out
  sed "s|^$1: |PROG: |; /^usage:/,\$d" err
}
same() {
  ran lua5.4 "$@" >want
  ran "$lungo" "$@" >got
  cmp -s want got && return
  echo "FAIL: ${vars[*]} lungo $* <<<'$stdin'"
  diff want got | head -5
  bad=1
}
echo 'return {v = 1}' >m.lua
printf '#!/usr/bin/lua\nprint("sh", ...)\n' >sh.lua
printf '#no newline' >sh2.lua
printf '# comment\nprint(debug.getinfo(1, "l").currentline)' >sh3.lua
printf '\xef\xbb\xbfprint("bom")\n' >bom.lua
printf '\xef\xbb\xbf#!x\nprint("bom2")\n' >bom2.lua
echo 'x = = 1' >bad.lua
echo 'print("dash")' >-dash.lua
mkdir dir
cat >a.lua <<'LUA'
for i = -7, 7 do
  if arg[i] and not arg[i]:find("lungo$") and not arg[i]:find("lua5.4$") then io.write(i, "=", arg[i], " ") end
end
print(#arg, ...)
LUA

same a.lua; same a.lua x y; same -- a.lua x; same -e '' a.lua x; same -E a.lua -e; same -W -E -e ' ' a.lua -- - x
same -e 'print(...)' a.lua q; same -e 'print(#arg, arg[0] ~= nil, arg[1])'; same - a b; same -e 'print(arg[1])' - a b
for f in sh sh2 sh3 bom bom2 bad none ./-dash; do same $f.lua 1 2; done
same dir; same -- -dash.lua; same -dash.lua; same ''; same '' x; same -e '' ''; same a.lua ''; same a.lua -
same -; same --; same -e; same -l; same -e print; same '-eprint(1)'; same -lm -e 'print(m.v)'; same -l m -e 'print(m.v)'
same -l q=m -e 'print(q.v, m)'; same -l =m -e 'print(1)'; same -l m a.lua; same -e 'print(1)' -- a.lua -x; same -e 'print(1)' --
for o in -x --x -E1 -i1 -vx -W1 -Wx -EE -vv --- -x1; do same $o; same -e 'print(1)' $o; same -e 'print(1)' $o a.lua; done
same -e -v; same -l -v; same -e 'x ='; same -e 'goto = 1'; same -e '#!x'; same -e 'print(1)' -e 'x ='; same -ie 'print(1)'
same -e 'os.exit(3)'; same -e 'os.exit(true, true)'; same -e 'os.exit(false)'; same -e 'io.stderr:write "e" return 1'
same -e 'a = 1' -e 'print(a)'; same -e 'local b = 1' -e 'print(b)'
same -W -e 'warn("a", "b")'; same -e 'warn("@on") warn "x"'; same -e 'warn "@on"' -W -e 'warn "@off" warn "y"'; same -W -e 'warn "@foo"'
same -v; same -v -e 'print(1)'; same -v -; same -v none.lua; same -i -e 'print(1)'; same -i a.lua x; same -i -
same -e 'print(package.path, package.cpath)'; same -E -e 'print(package.path, package.cpath)'
stdin='print("in", ...)\n'
same; same -; same - a b; same -- ; same -e 'print(1)'; same -e 'print(1)' -; same -v; same -E; same -W -; same -i; same -e 'print(2)' -i
stdin='#!shebang\nprint("in2")'; same; same -
stdin='x = = 1'; same -
stdin='1 + 1\nx = 5\n= x\nfor i = 1, 2 do\nprint(i) end\n'; same -i
stdin=''
vars=(LUA_INIT='print("init", ...)'); same a.lua x; same -E a.lua x; same -e 'print(1)'; same -v; same -
for init in @m.lua @none.lua 'x =' '' 'arg[1] = "changed"' 'arg = nil'; do vars=("LUA_INIT=$init"); same a.lua x; same -E a.lua x; done
vars=(LUA_INIT='print(5)' LUA_INIT_5_4='print(54)'); same a.lua; same -E a.lua
vars=(LUA_INIT='print(5)' LUA_INIT_5_4=); same a.lua
vars=(LUA_PATH='?.x;;'); same -e 'print(package.path)'; same -E -e 'print(package.path)'
vars=(LUA_PATH_5_4='?.y' LUA_PATH='?.x'); same -e 'print(package.path)'
vars=('LUA_CPATH=;;'); same -e 'print(package.cpath)'
exit $bad
