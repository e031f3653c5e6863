#!/bin/bash
# A tour of the examples: runs a few that show goroutines at work, each with its first comment as the headline.
# usage: scripts/tour.sh path/to/lungo
set -u
lungo=$1
cd "$(dirname "$0")/.." || exit 1
for e in goroutines/greeter_world channels/greet channels/range select/timeout sync/counter_mutex patterns/pipeline \
  patterns/google_2 patterns/context deadlocks/main_send parallel/monte_carlo_pi; do
  echo
  echo "--- lungo examples/$e.lua"
  sed -n 's/^-- \{0,1\}/    /p;/^[^-]/q' "examples/$e.lua" | head -4
  "$lungo" "examples/$e.lua" 2>&1
  status=$?
  [ "$e" = deadlocks/main_send ] && [ $status -eq 2 ] && continue
  [ $status -eq 0 ] || { echo "tour: $e ended with status $status" >&2; exit 1; }
done
echo
echo "lungo is built: $lungo. Try: $lungo examples/select/two_ready.lua, or $lungo alone for a prompt."
