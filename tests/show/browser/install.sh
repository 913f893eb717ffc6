#!/usr/bin/env bash
# Installs playwright-core, which drives the browser in the tests of pages, into build/browser.
set -euo pipefail
cd "$(dirname "$0")/../../.."
npm install --silent --no-audit --no-fund --no-save --prefix build/browser playwright-core@1.56.1
