#!/usr/bin/env python3
"""Writes tests/data/golden-learn.json: the weights that PyTorch learns for nn.Conv2d, step by step.

Run from anywhere, without arguments:

    /usr/bin/python3 tests/make_golden_learn.py

The file in the repository was written with PyTorch 1.13.0a0 and NumPy 1.24.2 (Debian 12: python3-torch). The numbers are
seeded. Each case is full-batch gradient descent by torch.optim.SGD on the sum of squared errors, in float64: random
inputs, targets and starting weights, which are integers over 8 and so exact in float32, and random options. "losses"
holds the loss of each epoch before its step, "w" and "b" the parameters after the last.
"""

import json
import pathlib

import numpy as np
import torch

DATA = pathlib.Path(__file__).resolve().parent / "data"
OVER = 8
rng = np.random.default_rng(20240611)


def pick(choices):
    return choices[rng.integers(len(choices))]


def eighths(shape):
    return rng.integers(-24, 25, size=shape)


def stable_rate(layer, x):
    """Half the largest stable rate: 1 / the largest curvature of the loss, by power iteration."""
    parameters = list(layer.parameters())
    direction = [torch.ones_like(p) for p in parameters]
    curvature = 1.0
    for _ in range(60):
        length = sum((d * d).sum() for d in direction).sqrt()
        direction = [d / length for d in direction]
        loss = (layer(x) ** 2).sum()
        slopes = torch.autograd.grad(loss, parameters, create_graph=True)
        along = sum((s * d).sum() for s, d in zip(slopes, direction))
        direction = [t.detach() for t in torch.autograd.grad(along, parameters)]
        curvature = float(sum((d * d).sum() for d in direction).sqrt())
    return 1 / curvature


def case():
    groups = pick([1, 1, 2, 3])
    c_i, c_o = groups * pick([1, 2, 3]), groups * pick([1, 2])
    kernel, stride, dilation = [(pick(a), pick(b)) for a, b in [([1, 2, 3], [1, 2, 3, 4]), ([1, 2], [1, 1, 3]), ([1, 1, 2], [1, 2])]]
    padding, mode = (pick([0, 1, 2]), pick([0, 1, 3])), pick(["zeros", "reflect", "replicate", "circular"])
    n, h, w = pick([1, 1, 2]), int(rng.integers(6, 12)), int(rng.integers(7, 13))
    bias, momentum, epochs = bool(rng.integers(2)), pick([0.0, 0.0, 0.5, 0.9]), int(rng.integers(3, 13))

    layer = torch.nn.Conv2d(c_i, c_o, kernel, stride=stride, dilation=dilation, padding=padding, padding_mode=mode,
                            groups=groups, bias=bias, dtype=torch.float64)
    x = eighths((n, c_i, h, w))
    start, start_bias = eighths(layer.weight.shape), eighths((c_o,)) if bias else None
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(start / OVER))
        if bias:
            layer.bias.copy_(torch.from_numpy(start_bias / OVER))
    shown = torch.from_numpy(x / OVER)
    y = eighths(tuple(layer(shown).shape))
    target = torch.from_numpy(y / OVER)

    rate = float("%.2g" % stable_rate(layer, shown))
    optimizer = torch.optim.SGD(layer.parameters(), lr=rate, momentum=momentum)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = ((layer(shown) - target) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {
        "stride": stride, "dilation": dilation, "padding": [*padding, *padding], "mode": mode, "groups": groups,
        "rate": rate, "momentum": momentum, "epochs": epochs, "x_shape": x.shape, "w_shape": start.shape,
        "y_shape": y.shape, "x": x.ravel().tolist(), "y": y.ravel().tolist(), "start": start.ravel().tolist(),
        "start_bias": start_bias.tolist() if bias else None, "losses": losses,
        "w": layer.weight.detach().numpy().ravel().tolist(), "b": layer.bias.detach().tolist() if bias else None,
    }


lines = [json.dumps(case(), separators=(",", ":")) for _ in range(30)]
made_with = f"PyTorch {torch.__version__}, NumPy {np.__version__}"
text = '{"made_by":"tests/make_golden_learn.py","made_with":"%s","over":%d,"cases":[\n%s\n]}\n' % (
    made_with, OVER, ",\n".join(lines))
(DATA / "golden-learn.json").write_text(text)
print(f"golden-learn.json: {len(lines)} cases, {len(text)} bytes")
