#!/usr/bin/env python3
"""Writes tests/data/onnx: the models of models.py and exported.py, and their values for a picture, by PyTorch in double precision.

    /usr/bin/python3 tests/onnx/make_golden.py

NAME.onnx is a model. NAME.npz has its input as "picture", and by their names the values that its layers write: of a
convolution with batch normalisation and an activation after it only the last. The picture is a part of
samples/coffee.png. The files in the repository were written with PyTorch 1.13.0a0, onnx 1.12.0, NumPy 1.24.2 and Pillow
9.4.0 (Debian 12: python3-torch, python3-onnx, python3-pil). A run with these versions writes the same files again.
"""

import pathlib

import numpy as np
import onnx
import PIL.Image

from evaluate import evaluate
from exported import exported
from models import MODELS

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "onnx"
ABSORBED = {"BatchNormalization", "Relu", "Clip", "Tanh", "Sigmoid", "HardSigmoid", "Max", "Min", "Mul", "Neg",
            "Gather", "Transpose"}

DATA.mkdir(exist_ok=True)
picture = np.asarray(PIL.Image.open(ROOT / "samples" / "coffee.png").convert("RGB"))[150:190, 200:248]
for name, make in {**MODELS, "exported": exported}.items():
    model = make()
    onnx.checker.check_model(model)
    (DATA / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    stored = {tensor.name for tensor in model.graph.initializer}
    arrays = {}
    for value, numbers in evaluate(model, picture.transpose(2, 0, 1)).items():
        readers = {node.op_type for node in model.graph.node if value in node.input}
        if value not in stored and numbers.ndim == 4 and not (readers and readers <= ABSORBED):
            arrays[value] = numbers[0].numpy().astype(np.float32)
    arrays["picture"] = picture.transpose(2, 0, 1).astype(np.float32)  # also where the model has its channels last
    np.savez_compressed(DATA / f"{name}.npz", **arrays)
