"""Evaluates ONNX models node by node with PyTorch, in double precision: what `convtool kernels import` is held to.

Needs Debian's python3-onnx and python3-torch. (The evaluator of onnx itself came after the version of Debian 12.)
"""

import numpy as np
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


def same_pads(a, x, kernel):
    """The pads of auto_pad SAME_UPPER or SAME_LOWER, by which the output has ceil(size / stride) rows and columns."""
    begins, ends = [], []
    for size, k, stride, dilation in zip(x.shape[2:], kernel, a.get("strides", [1, 1]), a.get("dilations", [1, 1])):
        total = max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
        less, more = total // 2, total - total // 2
        begins.append(less if a["auto_pad"] == b"SAME_UPPER" else more)
        ends.append(total - begins[-1])
    return begins + ends


def padded(x, attributes, kernel, fill=0.0):
    has_rule = attributes.get("auto_pad", b"NOTSET").startswith(b"SAME")
    top, left, bottom, right = same_pads(attributes, x, kernel) if has_rule else attributes.get("pads", [0] * 4)
    return F.pad(x, (left, right, top, bottom), value=fill)


def conv(a, x, weight, bias=None):
    return F.conv2d(padded(x, a, weight.shape[2:]), weight, bias, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def conv_transpose(a, x, weight, bias=None):
    if a.get("auto_pad") == b"SAME_UPPER":  # a part of the whole output, from its middle and one more at the start
        whole = F.conv_transpose2d(x, weight, bias, a["strides"])
        sizes = [size * stride for size, stride in zip(x.shape[2:], a["strides"])]
        top, left = [(full - size) // 2 for full, size in zip(whole.shape[2:], sizes)]
        return whole[:, :, top:top + sizes[0], left:left + sizes[1]]
    top, left, bottom, right = a.get("pads", [0] * 4)
    assert (top, left) == (bottom, right)
    return F.conv_transpose2d(x, weight, bias, a.get("strides", 1), (top, left), a.get("output_padding", 0),
                              a.get("group", 1), a.get("dilations", 1))


def max_pool(a, x):
    return F.max_pool2d(padded(x, a, a["kernel_shape"], -torch.inf), a["kernel_shape"], a.get("strides", [1, 1]), 0,
                        a.get("dilations", [1, 1]), bool(a.get("ceil_mode", 0)))


def average_pool(a, x):
    if "auto_pad" in a:
        sums, counts = [F.avg_pool2d(padded(y, a, a["kernel_shape"]), a["kernel_shape"], a["strides"], divisor_override=1)
                        for y in (x, torch.ones_like(x))]
        return sums / counts
    top, left, bottom, right = a.get("pads", [0] * 4)
    assert (top, left) == (bottom, right)
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", [1, 1]), (top, left), bool(a.get("ceil_mode", 0)),
                        bool(a.get("count_include_pad", 0)))


def batch_norm(a, x, weight, bias, mean, variance):
    return F.batch_norm(x, mean, variance, weight, bias, False, 0, a.get("epsilon", 1e-5))


def clip(a, x, low=None, high=None):
    return torch.clamp(x, a.get("min", low), a.get("max", high))


def pad(a, x, pads=None, value=0.0):
    pads = a["pads"] if pads is None else [int(p) for p in pads]
    assert pads[0:2] == [0, 0] and pads[4:6] == [0, 0]
    sides = (pads[3], pads[7], pads[2], pads[6])
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[a.get("mode", b"constant").decode()]
    return F.pad(x, sides, mode, float(a.get("value", value))) if mode == "constant" else F.pad(x, sides, mode)


def gemm(a, x, weight, bias=None):
    return F.linear(x, weight if a.get("transB", 0) else weight.T, bias)


def resize(a, x, roi, scales):
    modes = {("nearest", "asymmetric"): {"mode": "nearest"}, ("nearest", "half_pixel"): {"mode": "nearest-exact"},
             ("linear", "half_pixel"): {"mode": "bilinear", "align_corners": False}}
    place = a.get("coordinate_transformation_mode", b"half_pixel").decode().replace("pytorch_", "")
    return F.interpolate(x, scale_factor=tuple(scales[2:].tolist()), **modes[a.get("mode", b"nearest").decode(), place])


def slice_one(a, x, starts, ends, axes, steps):
    """Of one axis; torch has no negative steps."""
    places = range(*slice(int(starts), int(ends), int(steps)).indices(x.shape[int(axes)]))
    return x.index_select(int(axes), torch.tensor(list(places), dtype=torch.long))


def gather(a, x, places):
    axis = a.get("axis", 0)
    return x.index_select(axis, places.long()) if places.ndim else x.select(axis, int(places))


def transpose(a, x):
    return x.permute(a["perm"]) if "perm" in a else x.T


OPERATORS = {
    "Neg": lambda a, x: -x, "Max": lambda a, x, y: torch.maximum(x, y), "Min": lambda a, x, y: torch.minimum(x, y),
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y, "Identity": lambda a, x: x, "Dropout": lambda a, x, *rest: x, "Cast": lambda a, x: x,
    "Relu": lambda a, x: x.relu(), "Sigmoid": lambda a, x: x.sigmoid(), "Tanh": lambda a, x: x.tanh(),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "HardSigmoid": lambda a, x: (x * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1),
    "HardSwish": lambda a, x: F.hardswish(x), "PRelu": lambda a, x, slope: F.prelu(x, slope.reshape(-1)),
    "Clip": clip, "Conv": conv, "ConvTranspose": conv_transpose, "BatchNormalization": batch_norm, "MaxPool": max_pool,
    "AveragePool": average_pool, "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda a, x: x.amax((2, 3), keepdim=True),
    "ReduceMean": lambda a, x, axes=None: x.mean((2, 3), keepdim=True),
    "Pad": pad, "Resize": resize, "Slice": slice_one,
    "Concat": lambda a, *parts: torch.cat([part.reshape(-1) for part in parts]),
    "Reshape": lambda a, x, shape: x.reshape([int(size) for size in shape.reshape(-1)]), "Transpose": transpose,
    "ConstantOfShape": lambda a, shape: torch.zeros([int(size) for size in shape.reshape(-1)], dtype=torch.double),
    "Shape": lambda a, x: torch.tensor(x.shape, dtype=torch.double),
    "Gather": gather,
    "Flatten": lambda a, x: x.flatten(1), "Gemm": gemm,
}


def attribute_values(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def evaluate(model, picture):
    """All values of the graph by their names, for a picture of C x H x W, up to the first operator that is unknown. The
    input may have its channels last."""
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()).double() for t in model.graph.initializer}
    picture = torch.from_numpy(np.ascontiguousarray(picture)).double().unsqueeze(0)
    given = next(i for i in model.graph.input if i.name not in values)
    is_last = given.type.tensor_type.shape.dim[3].dim_value == picture.shape[1]
    values[given.name] = picture.permute(0, 2, 3, 1) if is_last else picture
    for node in model.graph.node:
        attributes = attribute_values(node)
        if node.op_type == "Gemm" and values[node.input[0]].shape[1] not in values[node.input[1]].shape:
            break  # the model is made for another size of pictures
        if node.op_type == "Constant":
            values[node.output[0]] = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy()).double()
        elif node.op_type in OPERATORS and all(i in values or not i for i in node.input):
            inputs = [values[i] if i else None for i in node.input]
            values[node.output[0]] = OPERATORS[node.op_type](attributes, *inputs)
    return values
