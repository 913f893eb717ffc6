#!/usr/bin/env python3
"""Writes tests/data/golden-conv2d.json and golden-borders.json: reference results of PyTorch and SciPy.

Run from anywhere, without arguments:

    /usr/bin/python3 tests/make_golden.py

The files in the repository were written with PyTorch 1.13.0a0, SciPy 1.10.1 and NumPy 1.24.2 (Debian 12: python3-torch,
python3-scipy). The numbers are seeded, so a run with these versions writes the same files again.

Pixels and weights are integers over a power of two ("over"), so every output is exact in float32, whatever the order
of summation, and tests/conv/test_golden.cpp compares with ==. The files hold the integers: pixels and weights times
"over", biases and outputs times "over" squared. "over" is 1 for u8 and u16 pixels. "pads" is [top, left, bottom, right].
"""

import json
import pathlib

import numpy as np
import scipy
import scipy.ndimage
import torch

DATA = pathlib.Path(__file__).resolve().parent / "data"
EXACT = 2**24  # float32 holds every integer up to here
rng = np.random.default_rng(20240517)


def integers(shape, low, high):
    return rng.integers(low, high + 1, size=shape)


def pixels_and_weights(dtype, x_shape, w_shape):
    """Random numerators and their common denominator."""
    if dtype == "u8":
        return integers(x_shape, 0, 255), integers(w_shape, -12, 12), 1
    if dtype == "u16":
        return integers(x_shape, 0, 65535), integers(w_shape, -3, 3), 1
    return integers(x_shape, -40, 40), integers(w_shape, -12, 12), int(rng.choice([8, 16]))


def record(tool, dtype, x, w, bias, y, over, *, stride, dilation, padding, mode, value=0, groups=1):
    """A case as the test reads it; `y` is the library's float64 result for x / over and w / over."""
    scaled = np.asarray(y, dtype=np.float64) * over * over
    assert (scaled == np.rint(scaled)).all() and np.abs(scaled).max(initial=0) < EXACT
    bias = None if bias is None else [int(b) for b in bias]
    return {
        "tool": tool, "dtype": dtype, "over": over, "stride": list(stride), "dilation": list(dilation), "groups": groups,
        "padding": padding, "mode": mode, "value": value, "x_shape": list(x.shape), "w_shape": list(w.shape),
        "y_shape": list(scaled.shape), "x": x.ravel().tolist(), "w": w.ravel().tolist(), "bias": bias,
        "y": np.rint(scaled).astype(int).ravel().tolist(),
    }


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def conv2d(x_shape, c_o, kernel, *, stride=1, dilation=1, padding=0, mode="zeros", groups=1, bias=False, dtype="f32",
           pads=None, pad_mode="constant", value=0):
    """One nn.Conv2d in float64. With `pads` (top, left, bottom, right), F.pad pads first, in `pad_mode`."""
    stride, dilation, kernel = pair(stride), pair(dilation), pair(kernel)
    w_shape = (c_o, x_shape[1] // groups, *kernel)
    x, w, over = pixels_and_weights(dtype, x_shape, w_shape)
    b = integers((c_o,), -200, 200) if bias else None

    layer = torch.nn.Conv2d(x_shape[1], c_o, kernel, stride=stride, dilation=dilation, groups=groups, bias=bias,
                            padding=padding, padding_mode=mode, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(w / over))
        if bias:
            layer.bias.copy_(torch.from_numpy(b / over**2))
        shown = torch.from_numpy(x / over)
        if pads is not None:
            top, left, bottom, right = pads
            extra = {"value": value} if pad_mode == "constant" else {}
            shown = torch.nn.functional.pad(shown, (left, right, top, bottom), mode=pad_mode, **extra)
            mode = pad_mode
        y = layer(shown).numpy()

    if pads is not None:
        padding = list(pads)
    elif not isinstance(padding, str):
        h, w_pad = pair(padding)
        padding = [h, w_pad, h, w_pad]
    return record("nn.Conv2d", dtype, x, w, b, y, over, stride=stride, dilation=dilation, padding=padding, mode=mode,
                  value=value, groups=groups)


def conv2d_cases():
    x = (1, 1, 8, 9)
    for kernel in range(1, 8):  # square, odd and even
        yield conv2d(x, 1, kernel)
        yield conv2d(x, 2, kernel, padding="same", bias=True)
        yield conv2d((1, 2, 8, 7), 1, kernel, padding="valid", bias=True)
    for kernel in [(1, 2), (2, 1), (1, 3), (3, 1), (1, 7), (7, 1), (2, 3), (3, 2), (5, 3), (3, 5), (4, 7), (6, 2)]:
        yield conv2d(x, 1, kernel)
        yield conv2d(x, 1, kernel, padding="same")
        yield conv2d(x, 1, kernel, padding=(kernel[0] // 2, kernel[1] // 2), bias=True)
    for stride in [1, 2, 3, 4, (1, 2), (2, 1), (3, 4), (4, 1), (2, 3)]:
        yield conv2d((1, 1, 9, 10), 1, 3, stride=stride)
        yield conv2d((1, 2, 9, 8), 2, (2, 4), stride=stride, padding=(1, 2), bias=True)
    yield conv2d((1, 1, 8, 8), 1, (3, 5), stride=(3, 4), padding=(0, 1))  # the course's example
    for dilation in [2, 3, 4, (1, 2), (2, 1), (3, 4), (4, 2)]:
        yield conv2d((1, 1, 10, 11), 1, 3, dilation=dilation)
        yield conv2d((1, 1, 8, 9), 2, (2, 3), dilation=dilation, padding="same")
        yield conv2d((1, 2, 9, 10), 1, (3, 2), dilation=dilation, stride=(2, 3), padding=(4, 3), bias=True)
    for channels, groups, c_o in [(2, 1, 3), (3, 1, 1), (4, 2, 2), (4, 2, 6), (6, 3, 3), (3, 3, 3), (3, 3, 9), (4, 4, 8),
                                  (5, 5, 5), (6, 2, 4)]:
        yield conv2d((1, channels, 5, 6), c_o, 3, groups=groups, padding=1, bias=True)
        yield conv2d((2, channels, 5, 4), c_o, (2, 3), groups=groups, stride=(1, 2))
    for mode in ["zeros", "reflect", "replicate", "circular"]:
        yield conv2d((1, 1, 5, 6), 1, 3, padding=1, mode=mode)
        yield conv2d((1, 2, 5, 6), 2, (5, 3), padding=(2, 1), mode=mode, bias=True)
        yield conv2d((1, 1, 6, 5), 1, (3, 4), padding=(1, 4), mode=mode, stride=(2, 1))
        yield conv2d((1, 1, 5, 5), 1, 5, padding=4, mode=mode)  # as far as reflect and circular go in PyTorch 1.13
        yield conv2d((1, 1, 6, 7), 1, (2, 4), padding="same", mode=mode)
        yield conv2d((1, 1, 7, 8), 1, 3, padding="same", mode=mode, dilation=(2, 3))
        yield conv2d((2, 4, 5, 5), 4, 3, padding=2, mode=mode, groups=2, dilation=2, stride=(2, 1), bias=True)
    for pads in [(0, 0, 1, 1), (1, 1, 0, 0), (2, 0, 1, 3), (0, 3, 2, 0), (3, 1, 0, 2)]:
        for pad_mode in ["constant", "reflect", "replicate", "circular"]:
            yield conv2d((1, 2, 5, 6), 1, 3, pads=pads, pad_mode=pad_mode, stride=(1, 2))
        yield conv2d((1, 1, 5, 6), 1, (2, 3), pads=pads, pad_mode="constant", value=-3, dilation=(2, 1))
    for n in [2, 3]:
        yield conv2d((n, 3, 4, 5), 2, 3, bias=True)
        yield conv2d((n, 1, 4, 5), 1, 2, padding=1)
    for channels, c_o in [(1, 1), (3, 2), (4, 5)]:  # 1x1: a matrix product over channels
        yield conv2d((1, channels, 3, 3), c_o, 1, bias=True)
        yield conv2d((2, channels, 3, 4), c_o, 1, stride=(2, 3))
    for shape, kernel, padding in [((1, 1, 3, 4), (3, 4), 0), ((1, 2, 1, 1), 1, 0), ((1, 1, 2, 3), (6, 5), (2, 1)),
                                   ((2, 1, 1, 7), (1, 7), 0), ((1, 1, 1, 1), 3, 1), ((1, 1, 1, 1), (4, 2), (2, 1))]:
        yield conv2d(shape, 2, kernel, padding=padding, bias=True)  # a kernel as large as the padded input
    for dtype in ["u8", "u16"]:
        yield conv2d((1, 3, 6, 7), 3, 3, padding=1, groups=3, mode="replicate", dtype=dtype)
        yield conv2d((1, 1, 7, 9), 1, 5, dtype=dtype, bias=True)
        yield conv2d((1, 3, 5, 6), 2, (2, 3), padding="same", dtype=dtype, bias=True)
        yield conv2d((1, 1, 8, 8), 1, 3, stride=2, padding=1, mode="reflect", dtype=dtype)
        yield conv2d((2, 2, 6, 6), 2, 3, dilation=2, padding=2, mode="circular", dtype=dtype)
        yield conv2d((1, 1, 5, 5), 1, 3, pads=(1, 2, 0, 1), value=7, dtype=dtype)


SCIPY_MODES = {"reflect": "symmetric", "mirror": "reflect", "nearest": "replicate", "wrap": "circular",
               "constant": "constant"}  # SciPy's names and ours


def correlate(shape, kernel, scipy_mode, *, origin=(0, 0), value=0, dtype="f32"):
    """One scipy.ndimage.correlate of a plane. Tap u reads position i + u - (k // 2 + origin) of the picture, so the
    padding at the start is k // 2 + origin. The rest of k - 1 goes to the end, because the output has the input's size."""
    x, w, over = pixels_and_weights(dtype, shape, kernel)
    y = scipy.ndimage.correlate(x / over, w / over, mode=scipy_mode, cval=value, origin=origin)
    top, left = kernel[0] // 2 + origin[0], kernel[1] // 2 + origin[1]
    pads = [top, left, kernel[0] - 1 - top, kernel[1] - 1 - left]
    mode = SCIPY_MODES[scipy_mode]
    assert mode != "reflect" or (max(pads[0], pads[2]) < shape[0] and max(pads[1], pads[3]) < shape[1])
    planes = [a.reshape(1, 1, *a.shape) for a in (x, w, y)]
    return record("ndimage.correlate", dtype, planes[0], planes[1], None, planes[2], over, stride=(1, 1),
                  dilation=(1, 1), padding=pads, mode=mode, value=value)


def border_cases():
    for mode in SCIPY_MODES:
        value = -5 if mode == "constant" else 0
        for kernel in [(1, 1), (3, 3), (5, 3), (1, 7), (7, 1), (5, 7)]:
            yield correlate((6, 7), kernel, mode, value=value)
        for kernel, origin in [((2, 2), (0, 0)), ((2, 2), (-1, -1)), ((4, 2), (0, -1)), ((4, 4), (1, -2)),
                               ((3, 6), (-1, 2)), ((5, 5), (2, -2)), ((6, 3), (-3, 1))]:
            yield correlate((6, 8), kernel, mode, origin=origin, value=value)
        for dtype in ["u8", "u16"]:
            yield correlate((5, 6), (3, 5), mode, value=9 if mode == "constant" else 0, dtype=dtype)
    for mode in ["reflect", "wrap", "nearest", "constant"]:  # pads larger than the picture, several times over
        for shape, kernel in [((3, 4), (9, 11)), ((1, 5), (7, 3)), ((2, 2), (13, 12)), ((1, 1), (5, 4)), ((3, 1), (2, 15)),
                              ((2, 3), (15, 15))]:
            yield correlate(shape, kernel, mode, value=3 if mode == "constant" else 0)


def write(name, cases):
    lines = [json.dumps(case, separators=(",", ":")) for case in cases]
    made_with = f"PyTorch {torch.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"
    text = '{"made_by":"tests/make_golden.py","made_with":"%s","cases":[\n%s\n]}\n' % (made_with, ",\n".join(lines))
    (DATA / name).write_text(text)
    print(f"{name}: {len(lines)} cases, {len(text)} bytes")


write("golden-conv2d.json", conv2d_cases())
write("golden-borders.json", border_cases())
