#!/usr/bin/env python3
"""Writes tests/data/golden-network.*: the output of a stack like LeNet's for a photograph, by PyTorch.

Run from anywhere, without arguments:

    /usr/bin/python3 tests/make_golden_network.py

The files in the repository were written with PyTorch 1.13.0a0, NumPy 1.24.2 and Pillow 9.4.0 (Debian 12: python3-torch,
python3-pil). The weights are seeded, so a run with these versions writes the same files again.

    golden-network.safetensors      the weights, with another element type in each layer, and those of a linear layer
    golden-network.npy              PyTorch's output, in float64 from the stored weights
    golden-network-magnitudes.npy   the same with absolute weights, which bounds the error of floats

The picture is tests/data/pictures/input.png. The stack: conv1 5x5, relu, max pool 2; conv2 5x5, relu, mean pool 2;
conv3 5x5.
"""

import json
import pathlib
import struct

import numpy as np
import PIL.Image
import torch

DATA = pathlib.Path(__file__).resolve().parent / "data"
torch.manual_seed(20240611)


def bytes_of(tensor):
    """Raw little-endian elements. NumPy has no bfloat16, which is the upper half of a float32."""
    if tensor.dtype == torch.bfloat16:
        return (tensor.float().numpy().view(np.uint32) >> 16).astype("<u2").tobytes()
    return tensor.numpy().tobytes()


NAMES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"made_by": "tests/make_golden_network.py"}}, b""
    for name, tensor in tensors.items():
        raw = bytes_of(tensor)
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rounded(shape, scale, dtype):
    return (torch.randn(shape, dtype=torch.float64) * scale).to(dtype)


def run(tensors, x, absolute):
    """The stack in float64. relu does not change absolute values."""
    part = {name: tensor.double().abs() if absolute else tensor.double() for name, tensor in tensors.items()}
    conv = torch.nn.functional.conv2d
    x = conv(x, part["conv1.weight"], part["conv1.bias"]).relu()
    x = torch.nn.functional.max_pool2d(x, 2)
    x = conv(x, part["conv2.weight"], part["conv2.bias"]).relu()
    x = torch.nn.functional.avg_pool2d(x, 2)
    return conv(x, part["conv3.weight"], part["conv3.bias"])


tensors = {
    "conv1.weight": rounded((6, 3, 5, 5), 0.2, torch.float32),
    "conv1.bias": rounded((6,), 20.0, torch.float32),
    "conv2.weight": rounded((16, 6, 5, 5), 0.1, torch.float16),
    "conv2.bias": rounded((16,), 20.0, torch.float64),
    "conv3.weight": rounded((10, 16, 5, 5), 0.05, torch.bfloat16),
    "conv3.bias": rounded((10,), 20.0, torch.float16),
    "fc.weight": rounded((10, 10), 0.1, torch.float32),
}
picture = np.asarray(PIL.Image.open(DATA / "pictures" / "input.png").convert("RGB")).astype(np.float64)
x = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0)
write_safetensors(DATA / "golden-network.safetensors", tensors)
np.save(DATA / "golden-network.npy", run(tensors, x, False)[0].numpy())
np.save(DATA / "golden-network-magnitudes.npy", run(tensors, x, True)[0].numpy())
