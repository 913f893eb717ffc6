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


def shape_of_input(channels=None, least=1, most=9):
    return [whole(1, 2) if chance(4) else 1, channels or whole(1, 5), whole(least, most), whole(least, most)]


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


MAKERS = [activations]


def main():
    cases = [made for maker in MAKERS for _ in range(CASES) for made in maker()]
    head = json.dumps({"made_by": "tests/make_golden_layers.py",
                       "made_with": f"PyTorch {torch.__version__}, NumPy {np.__version__}"})
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (DATA / "golden-layers.json").write_text(head[:-1] + ', "cases": [\n' + lines + "\n]}\n")


main()
