#!/bin/bash
# The TextMate grammar (docs/editor) is well-formed and marks lungo's words and arrows in their roles only: each line of
# grammar.txt is followed by one with ^ under what has to be marked. Perl's expressions stand for the editors' ones, as
# the grammar uses what both have in common.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lua5.4 tests/cli/grammar.lua docs/editor/lungo.tmLanguage.json docs/editor/package.json >"$dir/rules" || exit 1
perl - "$dir/rules" tests/cli/grammar.txt <<'EOF2'
use strict;
my ($rules_file, $lines_file) = @ARGV;
my (@rules, $bad, $n);
open my $f, '<', $rules_file or die;
while (<$f>) { chomp; my ($group, $re) = split /\t/, $_, 2; push @rules, [$group, qr/$re/]; }
@rules >= 5 or die "found too few rules\n";
open $f, '<', $lines_file or die;
while (my $line = <$f>) {
  my $want = <$f> // '';
  chomp($line, $want);
  my $got = ' ' x length $line;
  for my $rule (@rules) {
    my ($group, $re) = @$rule;
    while ($line =~ /$re/g) { substr($got, $-[$group], $+[$group] - $-[$group]) = '^' x ($+[$group] - $-[$group]); }
  }
  $got =~ s/ +$//;
  $n++;
  next if $got eq $want;
  print "marked wrongly:\n$line\n$got\nexpected:\n$want\n";
  $bad = 1;
}
$n >= 50 or die "found too few lines\n";
exit($bad ? 1 : 0);
EOF2
