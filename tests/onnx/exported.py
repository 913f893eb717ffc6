"""A model as torch.onnx writes it, with one of each layer that an import knows and with random weights.

Borders and factors of upsampling are computed by operators on constants in such a file, and gates like that of SiLU are
products. Needs Debian's python3-torch.
"""

import io
import warnings

import onnx
import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        return torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))) + x)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU())
        self.border = nn.ReflectionPad2d((1, 2, 3, 0))
        self.dilated = nn.Conv2d(8, 8, 3, dilation=2, groups=2)
        self.residual = Residual(8)
        self.pools = nn.Sequential(nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(3, 1, 1, count_include_pad=False))
        self.up = nn.Sequential(nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1, groups=2), nn.BatchNorm2d(4),
                                nn.Tanh(), nn.Upsample(scale_factor=2),
                                nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=False))
        self.linear = nn.Linear(4, 10)

    def forward(self, x):
        x = self.stem(x / 255)
        x = nn.functional.leaky_relu(nn.functional.hardswish(self.dilated(self.border(x))), 0.2)
        x = torch.sigmoid(self.up(self.pools(self.residual(x))))
        return self.linear(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


def exported():
    torch.manual_seed(4)
    model = Layers().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.zeros(1, 3, 64, 64), file, opset_version=13, input_names=["picture"],
                          dynamic_axes={"picture": {0: "batch", 2: "height", 3: "width"}})
    return onnx.load_from_string(file.getvalue())
