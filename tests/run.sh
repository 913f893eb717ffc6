#!/usr/bin/env bash
# Runs every test: tests/run.sh [PRESET]. Installs missing packages and builds first. PRESET is a test preset in
# CMakePresets.json, by default release; asan+ubsan and tsan run the same tests under the sanitizers.
#
# A test that lacks a program or a permission is skipped, and listed at the end. With CONVTOOL_TESTS_NO_SKIP set it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh
preset=${1:-release}

install_missing $build_packages $test_packages
build "$preset" -DCONVTOOL_TESTS=ON
status=0
ctest --preset "$preset" --parallel "$(nproc)" || status=$?
if skipped=$(grep '^SKIPPED: ' "build/$preset/Testing/Temporary/LastTest.log"); then
  printf '\nSkipped (%d):\n%s\n' "$(wc -l <<<"$skipped")" "$skipped"
fi
exit $status
