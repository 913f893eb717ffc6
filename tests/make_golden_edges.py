#!/usr/bin/env python3
"""Writes tests/data/golden-edges.json: the edges of four photographs by scikit-image.

Run from anywhere, without arguments, once build/release/convtool is built:

    /usr/bin/python3 tests/make_golden_edges.py

The file in the repository was written with scikit-image 0.19.3, SciPy 1.10.1, NumPy 1.24.2 and Pillow 9.4.0 (Debian 12:
python3-skimage). Nothing is random, so a run with these versions writes the same file again. convtool is only run
to confirm the grey values.

The filters get a crop of each photograph as float64 from 0 to 255. The crop has its own border, as if nothing lay around
it. Results are stored to nine significant digits. In terms of the shipped kernels of the same names they are

sobel       x / 4 as _v and y / 4 as _h, and their magnitude over the root of 2, which is a mean over the axes
scharr      the same with 16
prewitt     the same with 3
farid       the same with 1
roberts     -falling as pos_diag, -rising as neg_diag, and their magnitude over the root of 2
laplace     -laplacian-4: four times the pixel minus its neighbours

All are convolutions, which rotate the kernel by 180 degrees. scikit-image stores its x and y kernels rotated, so their
signs agree with ours. It stores roberts as we do, so its signs are opposite. laplace is symmetric.

The border is ndimage's `reflect`, cba|abcd|dcb. A 2x2 kernel of roberts covers the pixel and its right, lower and
lower right neighbours, because ndimage.convolve moves the centre of even kernels from the second tap to the first.
Padding `same`, which adds the odd row and column at the end, does the same.
"""

import json
import pathlib
import subprocess
import tempfile

import numpy as np
import PIL
import scipy
import skimage
from PIL import Image
from skimage import filters

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/convtool"
HEIGHT, WIDTH = 24, 32

# The photograph, and the upper left corner of the crop: x, y.
CROPS = {
    "samples/camera.png": (212, 150),  # a face in profile
    "samples/coffee.png": (340, 240),  # a spoon that glitters
    "tests/data/chelsea.png": (32, 64),  # an eye
    "tests/data/brick.png": (60, 70),  # joints of a wall
}


def grey(path):
    """Rec. 601 luma in 15 bits, rounded to nearest, as OpenCV 4 computes it from 8-bit colours."""
    pixels = np.asarray(Image.open(path)).astype(np.int64)
    luma = (pixels @ [9798, 19235, 3735] + 16384) >> 15 if pixels.ndim == 3 else pixels
    with tempfile.TemporaryDirectory() as folder:
        seen = pathlib.Path(folder) / "seen.npy"
        subprocess.run([PROGRAM, "apply", path, "--gray", "-q", "-k", "identity", "-o", seen], check=True)
        assert (np.load(seen).reshape(luma.shape) == luma).all(), f"{path}: the program sees another grey"
    return luma


def answers(picture):
    """Every filter by name, and by name_component where the filter has components."""
    found = {}
    for name in ("sobel", "scharr", "prewitt", "farid"):
        for suffix in ("", "_h", "_v"):
            found[name + suffix] = getattr(filters, name + suffix)(picture)
    for name in ("roberts", "roberts_pos_diag", "roberts_neg_diag"):
        found[name] = getattr(filters, name)(picture)
    found["laplace"] = filters.laplace(picture, ksize=3)
    return found


def nine_digits(array):
    """Numbers with up to nine significant digits; integers without a point, and no -0."""
    rounded = (float(f"{value:.9g}") for value in array.ravel())
    return [int(value) if value.is_integer() else value for value in rounded]


def record(path, x, y):
    crop = grey(ROOT / path)[y : y + HEIGHT, x : x + WIDTH]
    assert crop.shape == (HEIGHT, WIDTH)
    results = {name: nine_digits(result) for name, result in answers(crop.astype(np.float64)).items()}
    return {"photograph": path, "x": x, "y": y, "h": HEIGHT, "w": WIDTH, "pixels": crop.ravel().tolist(), **results}


lines = [json.dumps(record(path, x, y), separators=(",", ":")) for path, (x, y) in CROPS.items()]
made_with = (f"scikit-image {skimage.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}, "
             f"Pillow {PIL.__version__}")
text = '{"made_by":"tests/make_golden_edges.py","made_with":"%s","crops":[\n%s\n]}\n' % (made_with, ",\n".join(lines))
(ROOT / "tests/data/golden-edges.json").write_text(text)
print(f"golden-edges.json: {len(lines)} crops, {len(text)} bytes")
