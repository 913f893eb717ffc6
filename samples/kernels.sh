#!/usr/bin/env bash
# Writes samples/kernels.png: a contact sheet of all shipped and generated kernels, each on a part of a photograph.
# Needs ImageMagick for the labels; installs what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
source samples/setup.sh

install_missing $build_packages imagemagick fonts-dejavu-core
build release -DCONVTOOL_TESTS=OFF

tiles=$(mktemp -d)
trap 'rm -rf "$tiles"' EXIT
count=0

# tile PHOTOGRAPH WINDOW KERNEL OPTION...: filters the photograph; the tile is the window of the result, its label the
# kernel's name.
tile() {
  local photograph=$1 window=$2 kernel=$3 file
  shift 3
  count=$((count + 1))
  file=$tiles/$(printf '%02d' "$count").png
  build/release/convtool apply "$photograph" -k "$kernel" "$@" --quiet -o "$file"
  sheet+=('(' -label "${kernel/:/:$'\n'}" "$file" -crop "$window" +repage ')')
}

window=128x128+166+74
sheet=('(' -label "identity" samples/camera.png -crop "$window" +repage ')')
for kernel in gaussian-3 gaussian-5 binomial-5 gaussian:sigma=3 box box:size=9 disk:radius=4.5 \
  motion:length=15,angle=30 sharpen unsharp emboss; do
  tile samples/camera.png "$window" "$kernel"
done
for kernel in luma sepia; do
  tile samples/coffee.png 128x128+240+110 "$kernel"
done
# Responses of kernels that sum to 0 are normalized: some are small, and some exceed the range of a picture.
for kernel in sobel-x sobel-y edge outline laplacian-4 laplacian-8 log log:sigma=2 dog:sigma=1,ratio=1.6 \
  gabor:lambda=8,theta=45 sobel prewitt scharr farid roberts kirsch robinson frei-chen; do
  tile samples/camera.png "$window" "$kernel" --normalize-percentile 1,99
done

font=$(dpkg -L fonts-dejavu-core | grep /DejaVuSans.ttf)
montage -font "$font" -pointsize 11 "${sheet[@]}" -tile 8x -geometry 128x128+6+4 -background white \
  +dither -colors 200 -define png:compression-level=9 -define png:exclude-chunk=date,time "PNG8:$tiles/kernels.png"
mv "$tiles/kernels.png" samples/kernels.png
echo "The contact sheet is samples/kernels.png"
