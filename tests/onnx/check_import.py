"""Imports ONNX models with convtool, runs them on a picture, and compares every layer with PyTorch.

    /usr/bin/python3 tests/onnx/check_import.py CONVTOOL PICTURE [MODEL.onnx ...]

Without models, it takes those of models.py and exported.py. Prints a line for each layer: its value in the model, its shape, and the
largest difference over the range of the values. Fails if one is above 1e-4. Needs python3-onnx, python3-torch and
python3-pil of Debian.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import PIL.Image

from evaluate import evaluate
from exported import exported
from models import MODELS

LIMIT = 1e-4


def check(convtool, picture, model, folder):
    """The largest difference of all layers."""
    work = pathlib.Path(tempfile.mkdtemp(dir=folder))
    run = lambda *words: subprocess.run([convtool, *map(str, words)], check=True, capture_output=True, text=True)
    note = run("kernels", "import", model, "-o", work / "net.json").stderr.strip()
    run("apply", picture, "-k", work / "net.json", "-o", work / "result.npy", "--dump-layers", work / "layers")
    values = evaluate(onnx.load(str(model)),
                      np.asarray(PIL.Image.open(picture).convert("RGB"), np.float64).transpose(2, 0, 1))
    network = json.loads((work / "net.json").read_text())
    layers = network.get("layers", [network])
    dumps = sorted((work / "layers").iterdir())[-len(layers):]
    print(f"{model.name}: {len(layers)} layers of {len(dumps)}; {note}")
    worst = 0
    for layer, dump in zip(layers, dumps):
        value = re.fullmatch(r".*, to '(.*)'", layer["description"]).group(1)
        expected = values[value][0].numpy()
        if expected.ndim == 1:  # a list
            expected = expected[:, None, None]
        got = np.load(dump)
        assert got.shape == expected.shape, (value, got.shape, expected.shape)
        error = np.abs(got - expected).max() / (np.ptp(expected) or 1)
        print(f"  {layer['name']:24} {value:28} {'x'.join(map(str, got.shape)):14} {error:.1e}")
        worst = max(worst, error)
    return worst


def main(convtool, picture, *models):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(model) for model in models]
        for name, make in () if models else {**MODELS, "exported": exported}.items():
            paths.append(pathlib.Path(folder) / f"{name}.onnx")
            onnx.save(make(), str(paths[-1]))
        worst = max(check(convtool, pathlib.Path(picture), path, folder) for path in paths)
    print(f"largest difference {worst:.1e} of the range")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
