#!/bin/bash
# The options that --help names are those of the manual page, the manual and the completions of bash, zsh and fish: none
# is missing, none is made up. Protects: cli/main.c (usage_text), docs/lungo.1, docs/manual.md, scripts/completion.
set -u
lungo=$1
cd "$(dirname "$0")/../.." || exit 1
bad=0
same() { # same WHERE OPTIONS: one a line
  local got
  got=$(sort -u <<<"$2")
  [ "$got" = "$want" ] || { echo "FAIL: $1:"; diff <(echo "$want") <(echo "$got"); bad=1; }
}
words() { grep -oE -- '(^|[^a-zA-Z0-9-])--?[a-zA-Z][a-z]*' | grep -oE -- '--?[a-zA-Z][a-z]*'; }
want=$("$lungo" --help | sed -n 's/^  \(-[^ ]*\( [^ ]*\)\{0,1\}\).*/\1/p; s/^  -v, //p' | words | sort -u)
[ "$(echo "$want" | wc -l)" -ge 11 ] || { echo "FAIL: --help names too few: $want"; bad=1; }
same docs/lungo.1 "$(sed -n '/^\.SH OPTIONS/,/^\.SH THE PROMPT/s/\\-/-/gp' docs/lungo.1 | words)"
same lungo.bash "$(sed -n 's/.*compgen -W "\([^"]*\)".*/\1/p' scripts/completion/lungo.bash | words)"
same _lungo "$(grep -v _arguments scripts/completion/_lungo |
  sed "s/\[[^]]*\]//g; s/{-v,--version}/-v --version/; s/([^)]*)//; s/_files -g//" | words)"
same lungo.fish "$(sed -n 's/ -d .*//; s/^complete -c lungo//p' scripts/completion/lungo.fish |
  sed 's/ -s \([a-zA-Z]\)/ -\1/; s/ -l \([a-z][a-z]*\)/ --\1/; s/ -[xr]$//' | words)"
for o in $want; do
  grep -q -e "\`$o[\` ]" docs/manual.md || { echo "FAIL: docs/manual.md has no \`$o\`"; bad=1; }
done
exit $bad
