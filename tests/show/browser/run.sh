#!/usr/bin/env bash
# Tests the pages in a real browser: tests/show/browser/run.sh CONVTOOL [FILE.mjs...]. Needs Node, Chromium, and
# playwright-core, which tests/show/browser/install.sh puts into the build folder. Without one of them the tests are
# skipped, or fail with CONVTOOL_TESTS_NO_SKIP set. With CONVTOOL_TESTS_NO_BROWSER set they are always skipped. The exit
# code of skipped tests is 77.
set -euo pipefail
CONVTOOL=$(realpath "$1")
shift
here=$(realpath "$(dirname "$0")")
export CONVTOOL PROJECT=$(realpath "$here/../../..")
export BROWSER_MODULES=${BROWSER_MODULES:-$PROJECT/build/browser}

skip() {
  echo "SKIPPED: browser: $*"
  [ -z "${CONVTOOL_TESTS_NO_SKIP:-}" ] || [ -n "${CONVTOOL_TESTS_NO_BROWSER:-}" ] || { echo "CONVTOOL_TESTS_NO_SKIP is set" >&2; exit 1; }
  exit 77
}
[ -z "${CONVTOOL_TESTS_NO_BROWSER:-}" ] || skip "CONVTOOL_TESTS_NO_BROWSER is set"
command -v node >/dev/null || skip "needs Node"
CHROMIUM=$(command -v chromium) || skip "needs Chromium"
export CHROMIUM
[ -d "$BROWSER_MODULES/node_modules/playwright-core" ] || skip "needs playwright-core; run tests/show/browser/install.sh"

cd "$here"
[ $# -gt 0 ] || set -- test_*.mjs
exec node --test "$@"
