#!/usr/bin/env bash
# Runs the worked examples of a course on convolution and shows the numbers: samples/worked-examples.sh [CONVTOOL].
set -euo pipefail
cd "$(dirname "$0")/course"
convtool=$(realpath -m "${1:-../../build/release/convtool}")
[ -x "$convtool" ] || { echo "no program at $convtool; run samples/quickstart.sh first" >&2; exit 1; }

title() { printf '\n%s\n' "$*"; }
run() { printf '  $ convtool %s\n' "$*"; "$convtool" "$@" | sed 's/^/  /'; }

title "1. Cross-correlation: the kernel slides over the input, products are summed"
run apply x.json -k k.json -o - -q
title "2. A layer adds a bias"
run apply x.json -k layer.json -o - -q
title "3. [1, -1] responds where an object begins (1) and ends (-1)"
run apply object.json -k difference.json -o - -q
title "4. It does not find edges in its own direction"
run apply object-transposed.json -k difference.json -o - -q
title "5. The kernel of example 3 is learned from its input and output"
run learn --input object.json --target object-edges.json --kernel-size 1x2 --lr 0.03 --epochs 10 --init '[[0.0196,-0.3717]]'
title "6. Convolution is cross-correlation with the kernel rotated by 180 degrees"
run apply x.json -k k.json --flip -o - -q
title "7. Padding 1 keeps the size with a 3x3 kernel"
run shape 8x8 --kernel-size 3 --padding 1
title "8. So does padding (2, 1) with a 5x3 kernel"
run shape 8x8 --kernel-size 5x3 --padding 2x1
title "9. Stride 2 halves the size"
run shape 8x8 --kernel-size 3 --padding 1 --stride 2
title "10. Kernel (3, 5), padding (0, 1), stride (3, 4)"
run shape 8x8 --kernel-size 3x5 --padding 0x1 --stride 3x4
run apply x-8x8.json -k box:size=3x5 --padding 0x1 --padding-mode zeros --stride 3x4 -o - -q
title "11. Input channels are summed"
run apply x-two-channels.json -k k-two-channels.json -o - -q
title "12. Several output channels"
run apply x-two-channels.json -k k-three-outputs.json -o - -q
title "13. A 1x1 convolution is a matrix product over the channels"
run apply x-three-channels.json -k k-1x1.json -o - -q
title "14. The receptive field of one output of example 1"
run shape 3x3 -k k.json
title "15. Depth shrinks the picture: 5x5 kernels on 32x32, seven times"
run shape 1x32x32 --kernel-size 5 --repeat 7
title "16. The cost of a layer: 100 to 100 channels, 5x5, 64x64 outputs"
run shape 100x68x68 --kernel-size 5 --out-channels 100
title "17. A fully connected layer on a megapixel is a kernel of the size of the picture; 5x5 has 25 weights"
run shape 1x1000x1000 --kernel-size 1000 --out-channels 100
run shape 1x1000x1000 --kernel-size 5
title "18. A shifted input gives a shifted output"
run apply object-shifted.json -k difference.json -o - -q
