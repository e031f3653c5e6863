#!/bin/bash
# A script gets any number of arguments: where they end on the stack, one more value is put below them.
# Protects: runtime/host.c (lungo_run). Without its lua_checkstack builds with assertions end here.
set -u
lungo=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo 'print(select("#", ...), (select(-1, ...)))' >"$tmp/args.lua"
for n in 1 17 38 39 40 41 250 4000; do
  got=$("$lungo" "$tmp/args.lua" $(seq "$n")) || exit 1
  [ "$got" = "$n	$n" ] || { echo "$n arguments: $got"; exit 1; }
done
