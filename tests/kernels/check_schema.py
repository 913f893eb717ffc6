#!/usr/bin/python3
"""Checks that kernels/kernel.schema.json accepts every shipped kernel, every example in kernels/README.md and the documents
in ACCEPTED, and refuses those in REFUSED. With the program as an argument, checks that the program does the same.

Needs python3-jsonschema. Prints each failure and 'N passed, M failed'; exits 1 if anything failed.
"""

import json
import pathlib
import subprocess
import sys

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "kernels"

# Every option, in each of its forms.
ACCEPTED = {
    "bare matrix": "[[1, -1]]",
    "bare block": "[[[1], [2]], [[3], [4]]]",
    "bare nn.Conv2d weights": "[[[[1]]], [[[2]]]]",
    "layer": '{"weight": [[1, -1]]}',
    "layer with every option": """
        { "name": "sobel-x",
          "description": "horizontal gradient",
          "weight": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
          "bias": 0,
          "divisor": 1,
          "normalize": false,
          "stride": 1, "dilation": 1,
          "padding": "same",
          "padding_mode": "replicate", "padding_value": 0,
          "groups": 1,
          "activation": "none",
          "map": "auto" }""",
    "pads": '{"weight": [[1]], "pads": [1, 1, 1, 1]}',
    "padding as a number": '{"weight": [[1]], "padding": 2}',
    "padding per side": '{"weight": [[1]], "padding": [0, 1]}',
    "padding full": '{"weight": [[1]], "padding": "full"}',
    "padding valid": '{"weight": [[1]], "padding": "valid"}',
    "padding same_lower": '{"weight": [[1]], "padding": "same_lower"}',
    "padding value": '{"weight": [[1]], "padding": 1, "padding_mode": "constant", "padding_value": 128.5}',
    "stride and dilation as [h, w]": '{"weight": [[1]], "stride": [3, 4], "dilation": [1, 2]}',
    "bias per channel": '{"weight": [[[[1]]], [[[2]]]], "bias": [0.5, -1]}',
    "groups": '{"weight": [[[[1]]], [[[2]]]], "groups": 2}',
    "negative divisor": '{"weight": [[1]], "divisor": -256}',
    "normalize": '{"weight": [[1, 2, 1]], "normalize": true}',
    "activation": '{"weight": [[1]], "activation": "relu"}',
    "leaky_relu": '{"weight": [[1]], "activation": "leaky_relu"}',
    "leaky_relu with a slope": '{"weight": [[1]], "activation": {"leaky_relu": {"slope": 0.2}}}',
    "clip": '{"weight": [[1]], "activation": {"clip": {"min": 0, "max": 6}}}',
    "clip with one end": '{"weight": [[1]], "activation": {"clip": {"max": 6}}}',
    "relu6": '{"weight": [[1]], "activation": "relu6"}',
    "silu in an object": '{"weight": [[1]], "activation": {"silu": {}}}',
    "weights": '{"weights": [[1]]}',
    "kernel": '{"kernel": [[1]]}',
    "ONNX names": '{"weight": [[[[1]]]], "strides": [2, 2], "dilations": [1, 1], "group": 1, "auto_pad": "SAME_UPPER"}',
    "auto_pad SAME_LOWER": '{"weight": [[1]], "auto_pad": "SAME_LOWER"}',
    "auto_pad NOTSET with pads": '{"weight": [[1]], "pads": [1, 1, 1, 1], "auto_pad": "NOTSET"}',
    "auto_pad VALID": '{"weight": [[1]], "auto_pad": "VALID"}',
    "bank": '{"bank": [{"weight": [[1, -1]]}, {"weight": [[1, 1]]}], "combine": "magnitude"}',
    "bank of bare matrices, with a map": '{"name": "b", "bank": [[[1]], [[2]]], "map": "abs"}',
    "network": '{"layers": [{"weight": [[1]]}, {"bank": [[[1]], [[2]]], "combine": "max"}, [[1]]], "map": "clip"}',
    "names in a network": '{"layers": ["gaussian:sigma=2", [[1]], "sobel"], "map": "abs"}',
    "names in a bank": '{"bank": ["sobel-x", "sobel-y"], "combine": "magnitude"}',
    "pool": '{"pool": "max", "size": 2}',
    "pool with every option": """
        { "name": "p", "description": "d", "pool": "mean", "size": [3, 2], "stride": [1, 2], "padding": [1, 0],
          "map": "clip" }""",
    "list of layers": '[{"weight": [[1]]}, {"pool": "max", "size": 2}, [[1]], "sobel"]',
    "max pool with every option": """
        { "pool": "max", "size": [3, 2], "stride": 1, "pads": [1, 0, 2, 1], "dilation": [1, 2], "ceil_mode": true,
          "activation": "relu" }""",
    "mean pool with every option": """
        { "pool": "mean", "size": 3, "padding": 1, "ceil_mode": true, "count_include_pad": false, "activation": "tanh" }""",
    "global pools": '{"layers": [{"pool": "max", "size": "global"}, {"pool": "mean", "size": "global"}]}',
    "batch norm": """
        { "batch_norm": { "weight": [1, 2], "bias": [0, 1], "running_mean": [3, 4], "running_var": [1, 0.5], "eps": 0.1 },
          "activation": "relu" }""",
    "a layer and a matrix in a list that begins with a matrix": '[[[1]], {"weight": [[1]]}]',
    "activation alone": '{"name": "act", "activation": {"clip": {"max": 1}}}',
    "pools and activations as text": '[[[1]], "maxpool 3 s2 p1", "relu6", "upsample 2 bilinear"]',
    "scale as a fraction": '{"weight": [[1]], "input": {"scale": "1/255"}}',
    "batch norm without an affine part": '{"batch_norm": {"running_mean": [3], "running_var": [1]}}',
    "upsampling": '{"layers": [{"upsample": "nearest", "scale": 2}, {"upsample": "bilinear", "scale": [1, 3]}]}',
    "transposed": """
        { "weight": [[[[1, 2]]]], "transposed": true, "stride": [1, 3], "output_padding": [0, 2], "padding": [0, 1],
          "groups": 1, "bias": 1, "divisor": 2 }""",
    "shortcut": '{"layers": [{"name": "a", "weight": [[1]]}, {"name": "b", "weight": [[2]]}, {"from": "a", "add": "b"}]}',
    "sum": '{"layers": [{"name": "a", "weight": [[1]]}, [[2]], {"add": "a", "activation": "relu"}]}',
    "network of pools": '{"layers": [{"pool": "max", "size": 3, "padding": 1}, [[1]], {"pool": "mean", "size": 2}]}',
    "input": '{"weight": [[1]], "input": {}}',
    "input with every option": """{"layers": [[[1]]],
        "input": {"scale": 0.00392156862745098, "mean": [0.5, 0.5, 0.5], "std": 0.25, "order": "bgr"}}""",
    "$schema": '{"$schema": "kernel.schema.json", "weight": [[1]]}',
    "$schema of a network": '{"$schema": "kernel.schema.json", "layers": [[[1]]]}',
    "the largest float": '{"weight": [[3.4028234663852886e38]]}',
}

# These name files that do not exist, so only the schema is checked.
FILES = {
    "weight in .npy": '{"weight": "conv1.npy"}',
    "weight and bias in safetensors": '{"kernel": "m/a.safetensors#a.weight", "bias": "m/a.safetensors#a.bias"}',
}

# Layers without weights, which the program takes for shapes only.
OUTLINES = {
    "outline": '{"kernel_size": 3, "out_channels": 64, "stride": 2}',
    "outline with every option": """
        { "name": "o", "description": "d", "kernel_size": [3, 5], "out_channels": 4, "bias": false, "stride": [1, 2],
          "dilation": 1, "padding": "same", "padding_mode": "replicate", "padding_value": 0, "groups": 2,
          "activation": "relu", "map": "clip", "input": {"scale": 2} }""",
    "list of layers": '[{"kernel_size": 3, "out_channels": 4, "pads": [1, 0, 1, 0]}, {"pool": "max", "size": 2}, [[1]]]',
    "transposed outline": '{"kernel_size": 3, "out_channels": 4, "transposed": true, "stride": 2, "output_padding": 1}',
    "linear outline": '{"name": "fc", "linear": 10, "bias": false, "activation": "relu"}',
    "batch norm outline": '{"batch_norm": {}}',
    "layers as text": '["conv 3 8 p1", "relu", {"linear": 10}]',
    "outline with ONNX names": '{"kernel_size": 1, "out_channels": 4, "strides": 2, "group": 4, "auto_pad": "VALID"}',
}

REFUSED = {
    "outline without channels": '{"kernel_size": 3}',
    "outline with weights": '{"kernel_size": 3, "out_channels": 1, "weight": [[1]]}',
    "outline with a divisor": '{"kernel_size": 3, "out_channels": 1, "divisor": 2}',
    "outline with a number as bias": '{"kernel_size": 3, "out_channels": 1, "bias": 0}',
    "size 0": '{"kernel_size": 0, "out_channels": 1}',
    "size as text": '{"kernel_size": "3x3", "out_channels": 1}',
    "null": "null",
    "number": "1",
    "string": '"sobel"',
    "a file among layers": '{"layers": ["edge.json"]}',
    "a path among layers": '{"layers": ["./sobel"]}',
    "a name in capitals": '{"bank": ["SOBEL"]}',
    "rank 0": '{"weight": 1}',
    "rank 1": "[1, -1]",
    "rank 5": "[[[[[1]]]]]",
    "rank 5 as weight": '{"weight": [[[[[1]]]]]}',
    "mixed ranks": "[[1], [[2]]]",
    "empty list": "[]",
    "empty row": "[[]]",
    "empty object": "{}",
    "no weight": '{"name": "x"}',
    "string weight": '[["1"]]',
    "null weight": '{"weight": [[null]]}',
    "boolean weight": "[[true]]",
    "weight beyond float32": "[[1e39]]",
    "weight and its alias": '{"weight": [[1]], "kernel": [[1]]}',
    "two aliases": '{"weights": [[1]], "kernel": [[1]]}',
    "$schema inside": '{"layers": [{"$schema": "kernel.schema.json", "weight": [[1]]}]}',
    "unknown key": '{"weight": [[1]], "strid": 2}',
    "unknown key in a bank": '{"bank": [[[1]]], "stride": 2}',
    "unknown key in a network": '{"layers": [[[1]]], "stride": 2}',
    "unknown key in a bank's layer": '{"bank": [{"weight": [[1]], "pading": 1}]}',
    "unknown key in a network's bank": '{"layers": [{"bank": [[[1]]], "combin": "max"}]}',
    "padding and pads": '{"weight": [[1]], "padding": "same", "pads": [1, 1, 1, 1]}',
    "padding and auto_pad": '{"weight": [[1]], "padding": 1, "auto_pad": "VALID"}',
    "pads and auto_pad": '{"weight": [[1]], "pads": [1, 1, 1, 1], "auto_pad": "VALID"}',
    "stride and strides": '{"weight": [[1]], "stride": 1, "strides": [1, 1]}',
    "dilation and dilations": '{"weight": [[1]], "dilation": 1, "dilations": [1, 1]}',
    "groups and group": '{"weight": [[1]], "groups": 1, "group": 1}',
    "stride 0": '{"weight": [[1]], "stride": 0}',
    "stride [1, 0]": '{"weight": [[1]], "stride": [1, 0]}',
    "stride of one in a list": '{"weight": [[1]], "stride": [1]}',
    "stride 1.5": '{"weight": [[1]], "stride": 1.5}',
    "dilation -1": '{"weight": [[1]], "dilation": -1}',
    "dilation as text": '{"weight": [[1]], "dilation": "2"}',
    "negative padding": '{"weight": [[1]], "padding": -1}',
    "four numbers as padding": '{"weight": [[1]], "padding": [1, 1, 1, 1]}',
    "unknown padding": '{"weight": [[1]], "padding": "sane"}',
    "three pads": '{"weight": [[1]], "pads": [1, 1, 1]}',
    "negative pads": '{"weight": [[1]], "pads": [1, 1, 1, -1]}',
    "unknown padding_mode": '{"weight": [[1]], "padding_mode": "mirror"}',
    "padding_value without a mode": '{"weight": [[1]], "padding_value": 5}',
    "padding_value with another mode": '{"weight": [[1]], "padding_mode": "reflect", "padding_value": 5}',
    "unknown auto_pad": '{"weight": [[1]], "auto_pad": "SAME"}',
    "groups 0": '{"weight": [[[[1]]]], "groups": 0}',
    "divisor 0": '{"weight": [[1]], "divisor": 0}',
    "divisor null": '{"weight": [[1]], "divisor": null}',
    "normalize 1": '{"weight": [[1]], "normalize": 1}',
    "empty bias": '{"weight": [[1]], "bias": []}',
    "bias as text": '{"weight": [[1]], "bias": "0"}',
    "pool without a size": '{"pool": "max"}',
    "unknown pool": '{"pool": "median", "size": 2}',
    "pool of size 0": '{"pool": "max", "size": 0}',
    "pool with stride 0": '{"pool": "max", "size": 2, "stride": 0}',
    "pool with padding by rule": '{"pool": "max", "size": 2, "padding": "same"}',
    "pool with weights": '{"pool": "max", "size": 2, "weight": [[1]]}',
    "pool with padding and pads": '{"pool": "max", "size": 2, "padding": 1, "pads": [1, 1, 1, 1]}',
    "mean pool with a dilation": '{"pool": "mean", "size": 2, "dilation": 2}',
    "max pool that counts its padding": '{"pool": "max", "size": 2, "count_include_pad": true}',
    "pool of another word": '{"pool": "max", "size": "whole"}',
    "batch norm of a number": '{"batch_norm": 3}',
    "batch norm of rank 2": '{"batch_norm": {"weight": [[1]]}}',
    "upsampling without a scale": '{"upsample": "nearest"}',
    "upsampling by a half": '{"upsample": "nearest", "scale": 0.5}',
    "upsampling of another kind": '{"upsample": "bicubic", "scale": 2}',
    "sum of nothing": '{"layers": [[[1]], {"add": ""}]}',
    "a kernel of a bank that reads another layer": '{"layers": [{"name": "a", "weight": [[1]]}, {"bank": [{"from": "a", "weight": [[1]]}]}]}',
    "sum in a bank": '{"bank": [[[1]], {"add": "b-1"}]}',
    "output padding alone": '{"weight": [[[[1]]]], "output_padding": 1, "stride": 2}',
    "pool in a bank": '{"bank": [{"pool": "max", "size": 2}, [[1]]]}',
    "pool with a map inside a network": '{"layers": [{"pool": "max", "size": 2, "map": "abs"}]}',
    "input inside": '{"layers": [{"weight": [[1]], "input": {"scale": 1}}]}',
    "input as a number": '{"weight": [[1]], "input": 0.5}',
    "unknown key of input": '{"weight": [[1]], "input": {"scael": 1}}',
    "activation with a stride": '{"activation": "relu", "stride": 2}',
    "linear with weights": '{"linear": 10, "weight": [[1]]}',
    "scale as a word": '{"weight": [[1]], "input": {"scale": "byte"}}',
    "scale 0": '{"weight": [[1]], "input": {"scale": 0}}',
    "std 0": '{"weight": [[1]], "input": {"std": [1, 0]}}',
    "nested mean": '{"weight": [[1]], "input": {"mean": [[1]]}}',
    "unknown order": '{"weight": [[1]], "input": {"order": "gbr"}}',
    "weight in another file": '{"weight": "conv1.pt"}',
    "safetensors without a name": '{"weight": "model.safetensors"}',
    "unknown activation": '{"weight": [[1]], "activation": "sigmid"}',
    "clip without an end": '{"weight": [[1]], "activation": "clip"}',
    "clip with no end": '{"weight": [[1]], "activation": {"clip": {}}}',
    "two activations": '{"weight": [[1]], "activation": {"relu": {}, "abs": {}}}',
    "a number of another activation": '{"weight": [[1]], "activation": {"clip": {"slope": 1}}}',
    "a number without a name": '{"weight": [[1]], "activation": {"leaky_relu": 0.2}}',
    "unknown map": '{"weight": [[1]], "map": "absolute"}',
    "name as a number": '{"weight": [[1]], "name": 3}',
    "empty bank": '{"bank": []}',
    "bank of a bank": '{"bank": [{"bank": [[[1]]]}]}',
    "bank of numbers": '{"bank": [1]}',
    "unknown combine": '{"bank": [[[1]]], "combine": "l2"}',
    "combine without a bank": '{"weight": [[1]], "combine": "max"}',
    "map inside a bank": '{"bank": [{"weight": [[1]], "map": "abs"}]}',
    "map inside a network": '{"layers": [{"bank": [[[1]]], "map": "abs"}]}',
    "empty network": '{"layers": []}',
    "network of a network": '{"layers": [{"layers": [[[1]]]}]}',
    "layers and bank": '{"layers": [[[1]]], "bank": [[[1]]]}',
    "layers and weight": '{"layers": [[[1]]], "weight": [[1]]}',
    "bank and weight": '{"bank": [[[1]]], "weight": [[1]]}',
}


def examples_of(guide):
    """Returns the indented blocks of a Markdown file that begin with a bracket or a brace."""
    examples, block = [], []
    for line in guide.read_text(encoding="utf-8").splitlines() + [""]:
        if line.startswith("    "):
            block.append(line)
        elif block:
            if block[0].strip()[0] in "[{":
                examples.append("\n".join(block))
            block = []
    return examples


def program_accepts(program, text):
    """Returns whether convtool accepts `text` as an inline kernel, or for layers without weights, for shapes."""
    has_sizes_alone = any(key in text for key in ("kernel_size", '"linear', '"batch_norm": {}', '"conv '))
    command = ["shape", "4x64x64", "--layers"] if has_sizes_alone else ["kernels", "show"]
    result = subprocess.run([program] + command + [text], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return result.returncode == 0


def main():
    schema = json.loads((FOLDER / "kernel.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)

    accepted = ACCEPTED | OUTLINES
    for path in sorted(FOLDER.glob("*.json")):
        if path.name != "kernel.schema.json":
            accepted[path.name] = path.read_text(encoding="utf-8")

    examples = examples_of(FOLDER / "README.md")
    for number, text in enumerate(examples, 1):
        (FILES if ".safetensors" in text else accepted)[f"README.md, example {number}"] = text

    failures = [] if len(examples) > 5 else ["kernels/README.md has too few examples"]
    for name, text in (accepted | FILES).items():
        error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(text)))
        if error is not None:
            failures.append(f"refused: {name}: {error.message} at {error.json_path}")
    for name, text in REFUSED.items():
        if validator.is_valid(json.loads(text)):
            failures.append(f"accepted: {name}: {text}")

    # The program must agree with the schema on these documents. It also refuses mistakes that a schema cannot express.
    if len(sys.argv) > 1:
        for name, text in accepted.items():
            if not program_accepts(sys.argv[1], text):
                failures.append(f"refused by the program: {name}: {text}")
        for name, text in REFUSED.items():
            if program_accepts(sys.argv[1], text):
                failures.append(f"accepted by the program: {name}: {text}")

    for failure in failures:
        print(failure)
    print(f"{len(accepted) + len(FILES) + len(REFUSED) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or len(accepted) == len(ACCEPTED | OUTLINES) else 0


if __name__ == "__main__":
    sys.exit(main())
