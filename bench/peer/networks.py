"""A model's networks, as its card lists their layers, in PyTorch, with its weights."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

BATCH_NORM_EPSILON = 1e-3
LEAST_MOMENT_VARIANCE = 1e-5


def read_safetensors(path):
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
        arrays[name] = torch.from_numpy(array.copy())
    return arrays


class Pad(nn.Module):
    def __init__(self, pads):
        super().__init__()
        self.pads = pads

    def forward(self, x):
        return functional.pad(x, self.pads)


class Normalise(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.mean = layer["mean"]
        self.fixed = float(layer.get("fixedMeanDb", 0))
        self.scale = float(layer["scale"])

    def forward(self, x):
        if self.mean == "fixed":
            return (x - self.fixed) * self.scale
        if self.mean == "per-bin":
            return (x - x.mean(dim=(3,), keepdim=True)) * self.scale
        return (x - x.mean(dim=(2, 3), keepdim=True)) * self.scale


class Planes(nn.Module):
    """Planes that lie below one another become channels."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def forward(self, x):
        return x.reshape(x.shape[0], self.count, -1, x.shape[3])


class TimeMoments(nn.Module):
    """The mean over frequency, then its mean and deviation over time."""

    def __init__(self):
        super().__init__()
        self.least = LEAST_MOMENT_VARIANCE

    def forward(self, x):
        courses = x.mean(dim=2)
        variance, mean = torch.var_mean(courses, dim=2, correction=0)
        return torch.cat([mean, (variance + self.least).sqrt()], dim=1)


class Flatten(nn.Module):
    """In the order (height, width, channel), as the weights have it."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean(dim=(2, 3))


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


def arranged(values, kernel, inputs, filters):
    """[height, width, in, out], as the file has it, to [out, in, height, width]."""
    return values.reshape(*kernel, inputs, filters).permute(3, 2, 0, 1).contiguous()


class Builder:
    """
    `own_padding`: PyTorch's own, half a kernel on either side, in place of TensorFlow's "same", which is not symmetric where
    strides meet even sizes and costs a copy then. Other results, the same work: for timing alone.
    """

    def __init__(self, weights, dropout=True, own_padding=False):
        self.weights = weights
        self.dropout = dropout
        self.own_padding = own_padding

    def padding(self, layer, size):
        """TensorFlow's "same" padding: left, right, top, bottom."""
        pads = []
        for axis in (1, 0):
            kernel, stride = layer["kernel"][axis], layer["strides"][axis]
            pad = max((-(-size[axis] // stride) - 1) * stride + kernel - size[axis], 0)
            pads += [kernel // 2, kernel // 2] if self.own_padding else [pad // 2, pad - pad // 2]
        return pads

    def conv(self, layer, name, channels, size):
        left, right, top, bottom = self.padding(layer, size)
        symmetric = left == right and top == bottom
        modules = [] if symmetric else [Pad((left, right, top, bottom))]
        conv = nn.Conv2d(
            channels,
            layer["filters"],
            tuple(layer["kernel"]),
            tuple(layer["strides"]),
            (top, left) if symmetric else 0,
            bias=layer["bias"],
        )
        conv.weight.data = arranged(self.weights[f"{name}.kernel"], layer["kernel"], channels, layer["filters"])
        if layer["bias"]:
            conv.bias.data = self.weights[f"{name}.bias"].clone()
        return [*modules, conv]

    def batch_norm(self, name, flat):
        gamma = self.weights[f"{name}.gamma"]
        norm = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(len(gamma), eps=BATCH_NORM_EPSILON, momentum=0.05)
        norm.weight.data = gamma.clone()
        norm.bias.data = self.weights[f"{name}.beta"].clone()
        norm.running_mean.data = self.weights[f"{name}.mean"].clone()
        norm.running_var.data = self.weights[f"{name}.variance"].clone()
        return norm

    def dense(self, layer, name):
        kernel = self.weights[f"{name}.kernel"].reshape(-1, layer["units"])
        dense = nn.Linear(*kernel.shape)
        dense.weight.data = kernel.t().contiguous()
        dense.bias.data = self.weights[f"{name}.bias"].clone()
        return dense

    def chain(self, layers, prefix, channels, size):
        """The layers as a module, with the channels and the size (None once there is none) that leave it."""
        modules = []
        for index, layer in enumerate(layers):
            kind = layer["type"]
            name = f"{prefix}{index}.{kind}"
            if kind == "planes":
                modules.append(Planes(layer["count"]))
                channels, size = layer["count"], [size[0] // layer["count"], size[1]]
            elif kind == "normalise":
                modules.append(Normalise(layer))
            elif kind == "conv":
                modules += self.conv(layer, name, channels, size)
                channels = layer["filters"]
                size = [-(-length // stride) for length, stride in zip(size, layer["strides"])]
            elif kind == "batch-norm":
                modules.append(self.batch_norm(name, size is None))
            elif kind == "relu":
                modules.append(nn.ReLU(inplace=True))
            elif kind in ("max-pool", "average-pool"):
                pool = nn.MaxPool2d if kind == "max-pool" else nn.AvgPool2d
                modules.append(pool(tuple(layer["size"])))
                size = [length // step for length, step in zip(size, layer["size"])]
            elif kind in ("global-average", "time-moments", "flatten"):
                modules.append({"global-average": GlobalAverage, "time-moments": TimeMoments, "flatten": Flatten}[kind]())
                size = None
            elif kind == "dropout":
                if self.dropout:
                    modules.append(nn.Dropout(layer["rate"]))
            elif kind == "dense":
                modules.append(self.dense(layer, name))
            elif kind == "residual":
                body, after, ends = self.chain(layer["body"], f"{name}.body.", channels, size)
                shortcut, _, _ = self.chain(layer["shortcut"], f"{name}.shortcut.", channels, size)
                modules.append(Residual(body, shortcut))
                channels, size = after, ends
            else:
                raise ValueError(f"no layer {kind}")
        return nn.Sequential(*modules), channels, size


def build(spec, weights, frames=None, **options):
    """The network of a card for spectrograms [N, 1, bins, frames]."""
    size = [spec["input"]["bins"], frames or spec["input"]["frames"]]
    network, _, _ = Builder(weights, **options).chain(spec["layers"], "", 1, size)
    return network


def folded(module):
    """The same network for inference with each normalisation put into the convolution before it."""
    children = []
    for child in module.children():
        if isinstance(child, Residual):
            child = Residual(folded(child.body), folded(child.shortcut))
        if isinstance(child, nn.BatchNorm2d) and children and isinstance(children[-1], nn.Conv2d):
            children[-1] = fuse_conv_bn_eval(children[-1].eval(), child.eval())
        else:
            children.append(child)
    return nn.Sequential(*children).eval()


# Layouts and preparations that an expert would try on a CPU; which is fastest is measured. Compiling takes a minute for each
# network and process, and a C++ compiler: it is tried only where that is asked for.
WAYS = ("NCHW", "channels last", "NCHW, folded", "channels last, folded", "channels last, folded, frozen", "compiled")


def prepared(network, way):
    """A network [N, 1, bins, frames] -> [N], ready for inference in one of `WAYS`."""
    if way == "compiled":
        return torch.compile(folded(network).to(memory_format=torch.channels_last), dynamic=True)
    network = folded(network) if "folded" in way else network.eval()
    if "channels last" in way:
        network = network.to(memory_format=torch.channels_last)
    if "frozen" in way:
        network = torch.jit.freeze(torch.jit.script(network))
    return network


def laid_out(x, way):
    return x if way.startswith("NCHW") else x.contiguous(memory_format=torch.channels_last)
