#!/usr/bin/env python3
"""Writes tests/data/golden-layers.json: the results of PyTorch's layers that are not convolutions.

Run from anywhere, without arguments:

    /usr/bin/python3 tests/make_golden_layers.py

The file in the repository was written with PyTorch 1.13.0a0 and NumPy 1.24.2 (Debian 12: python3-torch). The numbers
are seeded, so a run with these versions writes the same file again.

A case has the kernel file of its layers, the shape of its input, and PyTorch's float64 output, rounded to float32 and
in base64. Its pixels are not stored: pixels() computes them from the seed of the case, and so does
tests/kernels/test_golden_layers.cpp. They are multiples of 1/16, as weights are, so that most sums are exact.
"magnitude" bounds the absolute value of everything that is added up for an output; errors are measured by it.
"""

import base64
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

DATA = pathlib.Path(__file__).resolve().parent / "data"
CASES = 50
rng = np.random.default_rng(20261128)


def pixels(seed, shape):
    """Multiples of 1/16 from -4 to 4, by a linear congruential generator (Knuth, MMIX)."""
    state, values = seed, []
    for _ in range(int(np.prod(shape))):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(((state >> 33) % 129 - 64) / 16)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def whole(low, high):
    return int(rng.integers(low, high + 1))


def chance(one_in):
    return whole(1, one_in) == 1


def sixteenths(shape, low=-32, high=32):
    return rng.integers(low, high + 1, size=shape) / 16


def nested(array):
    return np.asarray(array).tolist()


def shape_of_input(channels=None, least=1, most=7):
    return [whole(1, 2) if chance(4) else 1, channels or whole(1, 4), whole(least, most), whole(least, most)]


def case(kind, layers, x_shape, run, magnitude=None):
    """`run` takes the pixels to PyTorch's output. `magnitude` does the same to the sums of absolute values."""
    seed = whole(1, 2**31)
    x = pixels(seed, x_shape)
    y = run(x)
    size = float(y.abs()[torch.isfinite(y)].max()) if magnitude is None else float(magnitude(x.abs()).max())
    raw = y.to(torch.float32).numpy().astype("<f4").tobytes()
    return {"kind": kind, "seed": seed, "kernel": layers, "x_shape": x_shape, "y_shape": list(y.shape),
            "magnitude": size, "y": base64.b64encode(raw).decode()}


def float32(value):
    """The float that a kernel file's number becomes."""
    return float(np.float32(value))


def activations():
    """The activation of a 1x1 kernel that scales its input, so that both ends of the curves are seen."""
    slope = round(float(rng.uniform(-0.5, 1.5)), 3)
    low = round(float(rng.uniform(-3, 1)), 3)
    high = round(low + float(rng.uniform(0, 4)), 3)
    kinds = {
        "leaky_relu": ({"leaky_relu": {"slope": slope}}, lambda x: F.leaky_relu(x, float32(slope))),
        "clip": ({"clip": {"min": low, "max": high}}, lambda x: torch.clamp(x, float32(low), float32(high))),
        "relu6": ("relu6", F.relu6),
        "sigmoid": ("sigmoid", torch.sigmoid),
        "tanh": ("tanh", torch.tanh),
        "silu": ("silu", F.silu),
        "hardswish": ("hardswish", F.hardswish),
    }
    for kind, (activation, run) in kinds.items():
        scale = [1, 4, 0.0625, -32][whole(0, 3)]
        layer = {"weight": [[scale]], "activation": activation}
        yield case(kind, layer, shape_of_input(most=5), lambda x: run(x * scale))


def batch_norms():
    """With weight and bias or without, as affine=False."""
    x_shape = shape_of_input(most=5)
    channels, eps = x_shape[1], [1e-5, 1e-3, 0.5][whole(0, 2)]
    mean, variance = sixteenths(channels), sixteenths(channels, 1, 64)
    weight, bias = (None, None) if chance(4) else (sixteenths(channels), sixteenths(channels))
    numbers = {"running_mean": nested(mean), "running_var": nested(variance), "eps": eps}
    if weight is not None:
        numbers.update(weight=nested(weight), bias=nested(bias))
    tensor = lambda array: None if array is None else torch.tensor(array)
    run = lambda x: F.batch_norm(x, tensor(mean), tensor(variance), tensor(weight), tensor(bias), eps=eps)
    factor = (np.ones(channels) if weight is None else np.abs(weight)) / np.sqrt(variance + eps)
    # |x| * factor + |bias| + |mean| * factor
    magnitude = lambda x: F.batch_norm(x, tensor(-np.abs(mean)), tensor(variance), tensor(factor * np.sqrt(variance + eps)),
                                       None if bias is None else tensor(np.abs(bias)), eps=eps)
    yield case("batch_norm", {"batch_norm": numbers}, x_shape, run, magnitude)


def sides(size):
    """A window that fits the input with its padding, and pool options that PyTorch takes."""
    kernel = [whole(1, min(4, extent)) for extent in size]
    stride = [whole(1, 4), whole(1, 4)]
    padding = [whole(0, k // 2) for k in kernel]
    return kernel, stride, padding


def max_pools():
    x_shape = shape_of_input(least=4)
    kernel, stride, padding = sides(x_shape[2:])
    dilation = [whole(1, 2) if 2 * (k - 1) < extent else 1 for k, extent in zip(kernel, x_shape[2:])]
    ceil = chance(2)
    layer = {"pool": "max", "size": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil}
    yield case("max_pool", layer, x_shape, lambda x: F.max_pool2d(x, kernel, stride, padding, dilation, ceil))


def mean_pools():
    x_shape = shape_of_input(least=4)
    kernel, stride, padding = sides(x_shape[2:])
    ceil, counts = chance(2), chance(2)
    layer = {"pool": "mean", "size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil,
             "count_include_pad": counts}
    yield case("mean_pool", layer, x_shape, lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, counts))


def unequal_pools():
    """Pads of four sides, as in ONNX: what is outside is -inf or 0 to PyTorch."""
    x_shape = shape_of_input(least=4)
    kernel = [whole(2, 4), whole(2, 4)]
    stride = [whole(1, 3), whole(1, 3)]
    top, left, bottom, right = (whole(0, kernel[i % 2] - 1) for i in range(4))
    layer = {"size": kernel, "stride": stride, "pads": [top, left, bottom, right]}
    outside = lambda x, value: F.pad(x, (left, right, top, bottom), value=value)
    yield case("unequal_max_pool", {"pool": "max", **layer}, x_shape,
               lambda x: F.max_pool2d(outside(x, -torch.inf), kernel, stride))
    yield case("unequal_mean_pool", {"pool": "mean", **layer}, x_shape,
               lambda x: F.avg_pool2d(outside(x, 0.0), kernel, stride))
    share = lambda x: F.avg_pool2d(outside(torch.ones_like(x), 0.0), kernel, stride)
    yield case("uncounted_mean_pool", {"pool": "mean", "count_include_pad": False, **layer}, x_shape,
               lambda x: F.avg_pool2d(outside(x, 0.0), kernel, stride) / share(x))


def global_pools():
    x_shape = shape_of_input()
    yield case("global_max_pool", {"pool": "max", "size": "global"}, x_shape, lambda x: F.adaptive_max_pool2d(x, 1))
    yield case("global_mean_pool", {"pool": "mean", "size": "global"}, x_shape, lambda x: F.adaptive_avg_pool2d(x, 1))


def upsampling():
    x_shape = shape_of_input(channels=whole(1, 3), most=3)
    scale = [whole(1, 4), whole(1, 4)]
    for kind in ("nearest", "bilinear"):
        options = {} if kind == "nearest" else {"align_corners": False}
        yield case(kind, {"upsample": kind, "scale": scale}, x_shape,
                   lambda x: F.interpolate(x, scale_factor=tuple(float(s) for s in scale), mode=kind, **options))


def transposed():
    while True:
        groups = whole(1, 3)
        x_shape = shape_of_input(channels=groups * whole(1, 2), most=3)
        kernel, stride, dilation = ([whole(1, most), whole(1, most)] for most in (4, 4, 3))
        padding = [whole(0, 3), whole(0, 3)]
        extra = [whole(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
        sizes = [(n - 1) * s - 2 * p + d * (k - 1) + e + 1
                 for n, s, p, d, k, e in zip(x_shape[2:], stride, padding, dilation, kernel, extra)]
        if min(sizes) > 0:
            break
    weight = sixteenths((x_shape[1], whole(1, 2), *kernel), -12, 12)
    bias = None if chance(2) else sixteenths(weight.shape[1] * groups)
    layer = {"transposed": True, "weight": nested(weight), "stride": stride, "padding": padding, "dilation": dilation,
             "output_padding": extra, "groups": groups}
    if bias is not None:
        layer["bias"] = nested(bias)
    tensor = lambda array: None if array is None else torch.tensor(array)
    yield case("transposed", layer, x_shape, lambda x: F.conv_transpose2d(
        x, tensor(weight), tensor(bias), stride, padding, extra, groups, dilation))


def residual_blocks():
    """Two convolutions, and relu on their sum with the output of the layer before them, or of the first of them."""
    x_shape = shape_of_input(channels=whole(1, 3), least=3, most=6)
    channels = x_shape[1]
    first, second, third = (sixteenths((channels, channels, 3, 3), -4, 4) for _ in range(3))
    addend, activation = ["stem", "a"][whole(0, 1)], ["relu", "none"][whole(0, 1)]
    conv = lambda name, weight: {"name": name, "weight": nested(weight), "padding": 1}
    layers = [conv("stem", first), conv("a", second), {**conv("b", third), "activation": "relu"},
              {"name": "sum", "add": addend, "activation": activation}]
    tail = chance(2)
    if tail:
        layers.append({"name": "last", "add": "stem"})

    def run(x):
        stem = F.conv2d(x, torch.tensor(first), padding=1)
        a = F.conv2d(stem, torch.tensor(second), padding=1)
        b = F.relu(F.conv2d(a, torch.tensor(third), padding=1))
        y = b + (stem if addend == "stem" else a)
        y = F.relu(y) if activation == "relu" else y
        return y + stem if tail else y

    def magnitude(x):
        stem = F.conv2d(x, torch.tensor(first).abs(), padding=1)
        a = F.conv2d(stem, torch.tensor(second).abs(), padding=1)
        return F.conv2d(a, torch.tensor(third).abs(), padding=1) + a + 2 * stem

    yield case("sum", {"layers": layers}, x_shape, run, magnitude)


MAKERS = [activations, batch_norms, max_pools, mean_pools, unequal_pools, global_pools, upsampling, transposed,
          residual_blocks]


def main():
    cases = [made for maker in MAKERS for _ in range(CASES) for made in maker()]
    head = json.dumps({"made_by": "tests/make_golden_layers.py",
                       "made_with": f"PyTorch {torch.__version__}, NumPy {np.__version__}"})
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (DATA / "golden-layers.json").write_text(head[:-1] + ', "cases": [\n' + lines + "\n]}\n")


main()
