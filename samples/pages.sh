#!/usr/bin/env bash
# Writes samples/explain-numbers.png and samples/explain-photograph.png: pages of `convtool explain` as Chromium shows
# them, in light and in dark. Installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh

install_missing $build_packages chromium fonts-dejavu-core imagemagick
build release -DCONVTOOL_TESTS=OFF

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT

# shoot NAME WIDTH HEIGHT THEME ARGUMENT...: explains into a page and takes its picture. THEME is dark or light.
shoot() {
  local name=$1 width=$2 height=$3 theme=$4 scheme
  shift 4
  build/release/convtool explain "$@" -o "$pages/$name.html" >/dev/null
  [ "$theme" = dark ] && scheme=0 || scheme=1
  chromium --headless --no-sandbox --hide-scrollbars --disable-gpu --user-data-dir="$pages/profile" \
    --blink-settings=preferredColorScheme=$scheme --window-size="$width,$height" --screenshot="$pages/$name.png" \
    "file://$pages/$name.html" 2>"$pages/log" || { cat "$pages/log" >&2; exit 1; }
  convert "$pages/$name.png" -colors 256 -define png:compression-level=9 -define png:exclude-chunk=date,time \
    "PNG8:samples/explain-$name.png"
}

shoot numbers 1200 682 light samples/course/x-8x8.json -k '[[1,0,-1],[2,0,-2],[1,0,-1]]' --stride 2 --padding 1 \
  --at 1,2
shoot photograph 1200 1420 dark samples/camera.png -k sobel --at 102,195
echo "The pictures are samples/explain-numbers.png and samples/explain-photograph.png"
