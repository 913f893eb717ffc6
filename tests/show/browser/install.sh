#!/usr/bin/env bash
# Installs playwright-core, which drives the browser in the tests of pages, into build/browser. This version runs on the
# Node of Debian 12. npm trusts the certificates of the system, where it would have only its own list.
set -euo pipefail
cd "$(dirname "$0")/../../.."
certificates=/etc/ssl/certs/ca-certificates.crt
[ -e $certificates ] && export npm_config_cafile=$certificates
npm install --loglevel=error --no-audit --no-fund --no-save --prefix build/browser playwright-core@1.56.1
