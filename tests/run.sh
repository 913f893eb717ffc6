#!/usr/bin/env bash
# Runs every test: tests/run.sh [PRESET]. Installs what is missing and builds first. PRESET is one of CMakePresets.json,
# release unless given; asan+ubsan and tsan run the same tests under the sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh
preset=${1:-release}

install_missing $build_packages doctest-dev jq python3 python3-jsonschema
build "$preset" -DCONVTOOL_TESTS=ON
ctest --preset "$preset" --parallel "$(nproc)"
