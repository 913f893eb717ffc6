#!/usr/bin/env bash
# Writes tests/data/learned/: a photograph filtered by other programs, from which tests learn the filters.
# Needs ImageMagick (convert), libvips (vips) and GraphicsMagick (gm); those in the repository were written with Debian 12's
# 6.9.11.60, 8.14.1 and 1.4 (1.3.40). Outputs are 8-bit PNG without chunks that name programs and times.
set -euo pipefail
cd "$(dirname "$0")/data"
in=pictures/input.png
mkdir -p learned

convert $in -blur 0x1.2 -strip learned/magick-blur.png
convert $in -morphology Convolve '3x3: 0,-0.1,0 -0.1,1.3,-0.1 0,-0.1,0.1' -strip learned/magick-sharpen.png
convert $in -color-matrix '0.5 0.3 0.1  0.2 0.6 0.1  0.1 0.3 0.5' -strip learned/magick-colours.png
vips gaussblur $in learned/vips-gaussblur.png 1.5 --precision float
mask=$(mktemp --suffix .mat)
trap 'rm -f "$mask"' EXIT
printf '3 3 16 0\n1 2 1\n2 4 2\n1 2 1\n' >"$mask"
vips conv $in learned/vips-conv.png "$mask" --precision float
gm convert $in -convolve '1,4,6,4,1,4,16,24,16,4,6,24,36,24,6,4,16,24,16,4,1,4,6,4,1' -strip learned/gm-convolve.png
gm convert $in -blur 0x1 -strip learned/gm-blur.png
