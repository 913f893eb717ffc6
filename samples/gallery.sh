#!/usr/bin/env bash
# Writes samples/gallery.png: a contact sheet of every edge operator, kind of output and map on a photograph. Writes
# samples/sheet.png: the feature maps of eight kernels.
# Needs ImageMagick for the labels; installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh

install_missing $build_packages imagemagick fonts-dejavu-core
build release -DCONVTOOL_TESTS=OFF

photograph=samples/coffee.png
tiles=$(mktemp -d)
trap 'rm -rf "$tiles"' EXIT
count=0

# tile COMMAND ARGUMENT...: filters the photograph; the label is the command line without file names.
tile() {
  local command=$1 number
  shift
  count=$((count + 1))
  number=$(printf '%02d' "$count")
  build/release/convtool "$command" "$photograph" "$@" --quiet -o "$tiles/$number.png"
  sheet+=(-label "$(fold -s -w 42 <<<"$command $*")" "$tiles/$number.png")
}

sheet=(-label "the photograph" "$photograph")
for operator in sobel scharr prewitt roberts farid kirsch frei-chen log; do
  tile edges --operator "$operator" --normalize-percentile 1,99
done
tile edges --sigma 2 --map normalize
tile edges --norm l1
tile edges --color max
tile edges --color di-zenzo
tile edges --thin
tile edges --thin --hysteresis 100,200
tile edges --thin --hysteresis p85,p95 --output-kind binary
tile edges --sigma 1.4 --thin --hysteresis auto --output-kind overlay --overlay-color 00ff00
tile edges --operator log --sigma 2 --output-kind binary
tile edges --sigma 1 --output-kind orientation --normalize-percentile 1,99
tile apply -k sobel-x --gray --map clip
tile apply -k sobel-x --gray --map abs
tile apply -k sobel-x --gray --map offset
tile apply -k sobel-x --gray --map normalize
tile apply -k sobel-x --gray --map signed --signed-zero white --normalize-percentile 1,99
tile apply -k sobel-x --gray --threshold 100
tile apply -k laplacian-8 --map abs
tile apply -k emboss
tile apply -k unsharp

font=$(dpkg -L fonts-dejavu-core | grep /DejaVuSans.ttf)
# 256 colours: a third of the bytes, and no difference that can be seen.
montage -font "$font" -pointsize 10 "${sheet[@]}" -tile 4x -geometry 240x160+4+4 -background white miff:- |
  convert miff:- -dither None -colors 256 -define png:compression-level=9 -define png:exclude-chunk=date,time \
    "PNG8:$tiles/gallery.png"
mv "$tiles/gallery.png" samples/gallery.png
build/release/convtool apply samples/camera.png --stride 4 -k sobel-x -k sobel-y -k laplacian-4 -k gaussian:sigma=3 \
  -k gabor:lambda=32 -k gabor:lambda=32,theta=90 -k dog:sigma=4 -k box:size=9 --sheet samples/sheet.png --png-level 9 -q
echo "The gallery is samples/gallery.png, the sheet samples/sheet.png"
