#!/usr/bin/env bash
# Checks that the parts of test_conv have as many test cases as the program: check_parts.sh TEST_CONV FILTER...
# Filters are for doctest's --source-file.
set -euo pipefail
program=$1
shift

# The number of test cases that a filter selects.
count() {
  "$program" --count --no-colors=true "$@" | sed -n 's/.*: \([0-9]*\)$/\1/p'
}

sum=0
for filter; do
  selected=$(count --source-file="$filter")
  ((selected > 0)) || { echo "no test case is in the part $filter" >&2; exit 1; }
  sum=$((sum + selected))
done
all=$(count)
((sum == all)) || { echo "the parts have $sum test cases, the program has $all" >&2; exit 1; }
