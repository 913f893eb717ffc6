#!/usr/bin/env bash
# Checks that shards cover a test program: tests/shards.sh PROGRAM FILTER... Each FILTER is the doctest option that selects
# one shard. Every test case of PROGRAM must be selected by exactly one of them.
set -euo pipefail
program=$1
shift

# test_cases [FILTER]: prints the test cases that FILTER selects, one per line, with file and line number.
test_cases() { "$program" --reporters=xml --list-test-cases "$@" | grep '<TestCase ' || { echo "FAILED: no test case in: $*" >&2; exit 1; }; }

all=$(test_cases | sort)
sharded=$(for filter in "$@"; do test_cases "$filter"; done | sort)
diff <(echo "$all") <(echo "$sharded") || { echo "FAILED: test cases in no shard (<), or in two (>)" >&2; exit 1; }
echo "$(wc -l <<<"$all") test cases in $# shards"
