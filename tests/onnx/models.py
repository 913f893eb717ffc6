"""ONNX models with the structure of well-known networks and random weights, for tests of `convtool kernels import`.

    /usr/bin/python3 tests/onnx/models.py FOLDER

writes lenet.onnx, mobilenet.onnx, resnet18.onnx and keras.onnx to FOLDER. It needs Debian's python3-onnx, which brings NumPy. The
weights are seeded, so the same versions write the same files. Channels are fewer than in the originals, so that the
files are small.
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A graph under construction: nodes in a row, and their weights."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers = [], []

    def tensor(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name + ".out"], name=name, **attributes))
        return name + ".out"

    def conv(self, x, name, c_i, c_o, size, stride=1, padding=0, groups=1, bias=False):
        shape = (c_o, c_i // groups, size, size)
        deviation = (2 / (c_i // groups * size * size)) ** 0.5  # keeps the variance from layer to layer
        inputs = [x, self.tensor(name + ".weight", self.random.normal(0, deviation, shape))]
        if bias:
            inputs.append(self.tensor(name + ".bias", self.random.normal(0, 0.1, c_o)))
        return self.node("Conv", inputs, name, kernel_shape=[size, size], strides=[stride, stride],
                         pads=[padding] * 4, group=groups)

    def batch_norm(self, x, name, channels):
        random = self.random
        inputs = [x] + [self.tensor(f"{name}.{part}", values) for part, values in {
            "weight": random.uniform(0.5, 1.5, channels), "bias": random.normal(0, 0.2, channels),
            "running_mean": random.normal(0, 0.2, channels), "running_var": random.uniform(0.5, 2, channels)}.items()]
        return self.node("BatchNormalization", inputs, name, epsilon=1e-5)

    def relu(self, x, name):
        return self.node("Relu", [x], name)

    def linear(self, x, name, c_i, c_o):
        weights = self.tensor(name + ".weight", self.random.normal(0, 0.1, (c_o, c_i)))
        return self.node("Gemm", [x, weights, self.tensor(name + ".bias", np.zeros(c_o))], name, transB=1)

    def model(self, channels, result, opset=13):
        """A model of a picture of any size, with `result` its scores, as its output."""
        return self.model_of(["batch", channels, "height", "width"], result, ["batch", 10], opset)

    def model_of(self, picture, result, result_shape, opset=13):
        graph = helper.make_graph(
            self.nodes, "graph", [helper.make_tensor_value_info("picture", TensorProto.FLOAT, picture)],
            [helper.make_tensor_value_info(result, TensorProto.FLOAT, result_shape)], self.initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def lenet():
    """LeNet-5 with max pools and relu (LeCun et al., 1998), on colours."""
    g = Graph(1)
    x = g.relu(g.conv("picture", "conv1", 3, 6, 5, padding=2, bias=True), "relu1")
    x = g.node("MaxPool", [x], "pool1", kernel_shape=[2, 2], strides=[2, 2])
    x = g.relu(g.conv(x, "conv2", 6, 16, 5, bias=True), "relu2")
    x = g.node("MaxPool", [x], "pool2", kernel_shape=[2, 2], strides=[2, 2])
    return g.model(3, g.linear(g.node("Flatten", [x], "flatten"), "fc", 400, 10))


def mobilenet():
    """The start of MobileNet-v2 (Sandler et al., 2018): inverted residuals with relu6. Scales its input itself."""
    g = Graph(2)

    def relu6(x, name):
        limits = [g.tensor(f"{name}.{word}", value) for word, value in {"min": 0, "max": 6}.items()]
        return g.node("Clip", [x, *limits], name)

    def block(x, name, c_i, c_o, expansion, stride):
        wide = c_i * expansion
        y = x
        if expansion > 1:
            y = relu6(g.batch_norm(g.conv(y, name + ".expand", c_i, wide, 1), name + ".bn1", wide), name + ".relu1")
        y = g.conv(y, name + ".depthwise", wide, wide, 3, stride, 1, groups=wide)
        y = relu6(g.batch_norm(y, name + ".bn2", wide), name + ".relu2")
        y = g.batch_norm(g.conv(y, name + ".project", wide, c_o, 1), name + ".bn3", c_o)
        return g.node("Add", [x, y], name + ".add") if stride == 1 and c_i == c_o else y

    mean = g.tensor("mean", np.reshape([123.675, 116.28, 103.53], (1, 3, 1, 1)))
    deviation = g.tensor("deviation", np.reshape([58.395, 57.12, 57.375], (1, 3, 1, 1)))
    x = g.node("Div", [g.node("Sub", ["picture", mean], "centre"), deviation], "normalize")
    x = relu6(g.batch_norm(g.conv(x, "stem", 3, 8, 3, 2, 1), "stem.bn", 8), "stem.relu")
    x = block(x, "block1", 8, 8, 1, 2)
    x = block(x, "block2", 8, 12, 4, 2)
    x = block(x, "block3", 12, 12, 4, 1)
    x = block(x, "block4", 12, 16, 4, 2)
    x = g.node("GlobalAveragePool", [x], "pool")
    return g.model(3, g.linear(g.node("Flatten", [x], "flatten"), "classifier", 16, 10))


def resnet18():
    """ResNet-18 (He et al., 2016), with a sixteenth of the channels."""
    g = Graph(3)

    def block(x, name, c_i, c_o, stride):
        y = g.batch_norm(g.conv(x, name + ".conv1", c_i, c_o, 3, stride, 1), name + ".bn1", c_o)
        y = g.batch_norm(g.conv(g.relu(y, name + ".relu1"), name + ".conv2", c_o, c_o, 3, 1, 1), name + ".bn2", c_o)
        if stride != 1:
            x = g.batch_norm(g.conv(x, name + ".downsample.0", c_i, c_o, 1, stride), name + ".downsample.1", c_o)
        return g.relu(g.node("Add", [y, x], name + ".add"), name + ".relu2")

    x = g.relu(g.batch_norm(g.conv("picture", "conv1", 3, 4, 7, 2, 3), "bn1", 4), "relu")
    x = g.node("MaxPool", [x], "maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 4
    for layer, c_o in enumerate((4, 8, 16, 32), 1):
        for i in range(2):
            x = block(x, f"layer{layer}.{i}", channels, c_o, 2 if layer > 1 and i == 0 else 1)
            channels = c_o
    x = g.node("GlobalAveragePool", [x], "avgpool")
    return g.model(3, g.linear(g.node("Flatten", [x], "flatten"), "fc", 32, 10))


def keras():
    """Layers as tf2onnx writes those of Keras: the picture has its channels last and becomes B, G, R, padding follows from
    rules, and hardswish and relu6 are several nodes."""
    g = Graph(4)

    def weights(name, *shape):
        return g.tensor(name, g.random.normal(0, (2 / (shape[1] * shape[2] * shape[3])) ** 0.5, shape))

    numbers = {name: g.tensor(name, value) for name, value in {"zero": 0, "three": 3, "six": 6}.items()}
    zero, three, six = (numbers[name] for name in ("zero", "three", "six"))
    g.initializers.append(numpy_helper.from_array(np.array([2, 1, 0]), "bgr"))
    x = g.node("Sub", ["picture", g.tensor("mean", [123.675, 116.28, 103.53])], "centre")
    x = g.node("Gather", [x, "bgr"], "reverse", axis=3)
    x = g.node("Mul", [x, g.tensor("scale", np.reshape([0.0175, 0.0171, 0.0174], (1, 1, 1, 3)))], "normalize")
    x = g.node("Transpose", [x], "transpose", perm=[0, 3, 1, 2])
    x = g.node("Conv", [x, weights("conv1.weight", 4, 3, 3, 3)], "conv1", strides=[2, 2], auto_pad="SAME_UPPER")
    y = g.node("Clip", [g.node("Add", [x, three], "shift"), zero, six], "clip")
    x = g.node("Div", [g.node("Mul", [x, y], "gate"), six], "hardswish")
    x = g.node("MaxPool", [x], "pool1", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    x = g.node("Conv", [x, weights("conv2.weight", 4, 1, 3, 2)], "conv2", strides=[2, 1], group=4,
               auto_pad="SAME_LOWER")
    x = g.node("Min", [g.node("Max", [x, zero], "max"), six], "relu6")
    x = g.node("AveragePool", [x], "pool2", kernel_shape=[3, 4], strides=[2, 2], auto_pad="SAME_LOWER")
    x = g.node("ConvTranspose", [x, weights("up.weight", 4, 3, 4, 3)], "up", strides=[2, 2], auto_pad="SAME_UPPER")
    x = g.node("Neg", [x], "negative")
    return g.model_of(["batch", "height", "width", 3], x, ["batch", 3, "rows", "columns"])


MODELS = {"lenet": lenet, "mobilenet": mobilenet, "resnet18": resnet18, "keras": keras}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MODELS.items():
        model = make()
        onnx.checker.check_model(model)
        onnx.save(model, str(folder / f"{name}.onnx"))
