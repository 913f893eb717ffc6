#!/usr/bin/env bash
# From a bare Debian 12, Debian 13 or Ubuntu 24.04 to an edge map: installs what is missing, builds, filters a photograph.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh

install_missing $build_packages
build release -DCONVTOOL_TESTS=OFF

mkdir -p build/quickstart
build/release/convtool apply samples/coffee.png --kernel kernels/edge.json --out-dir build/quickstart
echo "The edge map is build/quickstart/coffee.edge.png"
