"""The benchmark's peer: the same work as a Python programmer would write it with soundfile, torchaudio and PyTorch.

Started once by bench/run.ts; takes one JSON request a line on standard input and answers each by one JSON line on
standard output. It is meant to be fair, and where in doubt to favour the peer:

- one process, everything loaded and warmed up before anything is timed; no start per file;
- batched: Mel spectrograms and the network run over the windows of several files at once, in inference mode;
- two threads (as many as ours); of several sizes of batch, memory layouts (NCHW, channels last) and ways to use the
  threads (two workers with one each, or one with two), the fastest on this machine is taken before timing;
- the same files, window lengths, levels, front end, network and weights: its logits are compared with ours first;
- in scanning it reads, levels, transforms and scores. Ours also hashes each file, cuts the band, finds silence,
  measures quality and makes a result for each file; the peer is spared all that;
- in training the same network, batch, loss and optimiser (Adam), batch statistics where the network has them.

Needs Python 3.9 with numpy, torch, torchaudio and soundfile.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from torch import nn
from torch.nn import functional

BATCH_NORM_EPSILON = 1e-3


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


class SamePad(nn.Module):
    """TensorFlow's "same" padding, where it is not symmetric."""

    def __init__(self, kernel, strides):
        super().__init__()
        self.kernel = kernel
        self.strides = strides

    def forward(self, x):
        pads = []
        for axis in (1, 0):
            size = x.shape[2 + axis]
            kernel, stride = self.kernel[axis], self.strides[axis]
            pad = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [pad // 2, pad - pad // 2]
        return functional.pad(x, pads)


class Normalise(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        mean = self.layer["mean"]
        if mean == "fixed":
            middle = self.layer.get("fixedMeanDb", 0)
        else:
            middle = x.mean(dim=3 if mean == "per-bin" else (2, 3), keepdim=True)
        return (x - middle) * self.layer["scale"]


class TimeStatistics(nn.Module):
    """Statistics over time of each bin, as src-main/detector/time-statistics.ts makes them."""

    def __init__(self, bins):
        super().__init__()
        fine = torch.eye(bins)
        for row in range(bins):
            for offset in range(-4, 5):
                fine[row, min(bins - 1, max(0, row + offset))] -= 1 / 9
        self.register_buffer("fine", fine)

    def forward(self, x):
        def relative(value, least):
            return value * (value.square().mean(2, keepdim=True) + least).rsqrt()

        def kurtosis(unit):
            return unit.square().square().mean(2)

        def skewness(unit):
            return (unit.square() * unit).mean(2)

        def autocorrelation(unit, lag):
            return (unit[..., lag:] * unit[..., :-lag]).mean(2)

        x = x[:, 0]
        centred = x - x.mean(2, keepdim=True)
        deviation = (centred.square().mean(2, keepdim=True) + 0.05).sqrt()
        unit = centred / deviation
        moves = unit[..., 1:] - unit[..., :-1]
        move_unit = relative(moves, 1e-4)
        turn_unit = relative(moves[..., 1:] - moves[..., :-1], 1e-4)
        fine = self.fine @ centred
        fine_deviation = (fine.square().mean(2, keepdim=True) + 0.05).sqrt()
        fine_unit = fine / fine_deviation
        slopes = centred[:, 1:] - centred[:, :-1]
        parts = [
            skewness(unit),
            kurtosis(unit),
            (moves.abs().mean(2) * deviation[..., 0] + 0.1).log(),
            kurtosis(move_unit),
            skewness(move_unit),
            kurtosis(turn_unit),
            *[autocorrelation(unit, lag) for lag in (2, 4, 8, 16)],
            skewness(fine_unit),
            kurtosis(fine_unit),
            *[autocorrelation(fine_unit, lag) for lag in (1, 2, 4)],
            (fine_deviation / deviation)[..., 0].log(),
            (slopes.square().mean(2) + 0.05).sqrt().log(),
            *[(unit[:, distance:] * unit[:, :-distance]).mean(2) for distance in (1, 2, 4)],
        ]
        return torch.cat(parts, dim=1)


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


def chain(layers, prefix, weights, channels, bins):
    """The layers as a module, and the number of channels (or features) that leave it (None where it is not known)."""
    modules = []
    for index, layer in enumerate(layers):
        kind = layer["type"]
        name = f"{prefix}{index}.{kind}"
        if kind == "normalise":
            modules.append(Normalise(layer))
        elif kind == "time-statistics":
            modules.append(TimeStatistics(bins))
        elif kind == "conv":
            kernel, strides = layer["kernel"], layer["strides"]
            symmetric = strides == [1, 1] and all(size % 2 for size in kernel)
            if not symmetric:
                modules.append(SamePad(kernel, strides))
            padding = tuple(size // 2 for size in kernel) if symmetric else 0
            conv = nn.Conv2d(channels, layer["filters"], tuple(kernel), tuple(strides), padding, bias=layer["bias"])
            conv.weight.data = arranged(weights[f"{name}.kernel"], kernel, channels, layer["filters"])
            if layer["bias"]:
                conv.bias.data = weights[f"{name}.bias"]
            modules.append(conv)
            channels = layer["filters"]
        elif kind == "batch-norm":
            size = len(weights[f"{name}.gamma"])
            flat = any(isinstance(module, (TimeStatistics, Flatten)) for module in modules)
            norm = (nn.BatchNorm1d if flat else nn.BatchNorm2d)(size, eps=BATCH_NORM_EPSILON, momentum=0.05)
            norm.weight.data = weights[f"{name}.gamma"]
            norm.bias.data = weights[f"{name}.beta"]
            norm.running_mean.data = weights[f"{name}.mean"]
            norm.running_var.data = weights[f"{name}.variance"]
            modules.append(norm)
        elif kind == "relu":
            modules.append(nn.ReLU(inplace=False))
        elif kind == "max-pool":
            modules.append(nn.MaxPool2d(tuple(layer["size"])))
        elif kind == "average-pool":
            modules.append(nn.AvgPool2d(tuple(layer["size"])))
        elif kind == "global-average":
            modules.append(GlobalAverage())
        elif kind == "flatten":
            modules.append(Flatten())
        elif kind == "dropout":
            modules.append(nn.Dropout(layer["rate"]))
        elif kind == "dense":
            kernel = weights[f"{name}.kernel"].reshape(-1, layer["units"])
            dense = nn.Linear(*kernel.shape)
            dense.weight.data = kernel.t().contiguous()
            dense.bias.data = weights[f"{name}.bias"]
            modules.append(dense)
        elif kind == "residual":
            body, after = chain(layer["body"], f"{name}.body.", weights, channels, bins)
            shortcut, _ = chain(layer["shortcut"], f"{name}.shortcut.", weights, channels, bins)
            modules.append(Residual(body, shortcut))
            channels = after
        else:
            raise ValueError(f"no layer {kind}")
    return nn.Sequential(*modules), channels


class MelFrontEnd:
    def __init__(self, card):
        front = card["frontEnd"]
        if front["type"] != "mel":
            raise ValueError("the peer has the Mel front end alone")
        self.floor = front["floorPower"]
        self.transform = torchaudio.transforms.MelSpectrogram(
            front["sampleRateHz"],
            n_fft=front["nFft"],
            win_length=front["winLength"],
            hop_length=front["hopLength"],
            f_min=front["fMin"],
            f_max=front["fMax"],
            n_mels=front["nMels"],
            center=front["center"],
            norm="slaney" if front["norm"] == "slaney" else None,
            mel_scale=front["melScale"],
        )

    def __call__(self, samples):
        """[N, samples] to [N, bins, frames] in dB."""
        return self.transform(samples).clamp_min(self.floor).log10().mul(10)


def best_of(ways, measure):
    return min(ways, key=lambda way: min(measure(way) for _ in range(2)))


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Peer:
    def __init__(self):
        self.pool = None
        self.scan_way = None
        self.infer_ways = {}
        self.mel_way = None
        self.trainers = {}

    def load(self, request):
        folder = Path(request["folder"])
        self.card = json.loads((folder / "card.json").read_text())
        self.weights = read_safetensors(folder / "weights.safetensors")
        self.threads = request["threads"]
        self.pool = ThreadPoolExecutor(self.threads)
        torch.set_num_threads(self.threads)
        self.mel = MelFrontEnd(self.card)
        self.networks = {layout: self.network(layout).eval() for layout in ("plain", "last")}
        return {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "torchaudio": torchaudio.__version__,
            "soundfile": soundfile.__version__,
        }

    def network(self, layout):
        weights = {name: array.clone() for name, array in self.weights.items()}
        network, _ = chain(self.card["network"]["layers"], "", weights, 1, self.card["network"]["input"]["bins"])
        return network.to(memory_format=torch.channels_last) if layout == "last" else network

    def logits(self, features, layout):
        x = features.unsqueeze(1)
        if layout == "last":
            x = x.contiguous(memory_format=torch.channels_last)
        return self.networks[layout](x).flatten()

    def score(self, request):
        """Logits of windows that lie in a file as float32."""
        length = round(self.card["window"]["seconds"] * self.card["conditioning"]["sampleRateHz"])
        windows = torch.from_numpy(np.fromfile(request["file"], dtype="<f4").reshape(-1, length))
        with torch.inference_mode():
            return {layout: self.logits(self.mel(windows), layout).tolist() for layout in self.networks}

    def windows_of(self, path):
        conditioning, plan = self.card["conditioning"], self.card["window"]
        rate = conditioning["sampleRateHz"]
        samples, native = soundfile.read(path, dtype="float32", always_2d=True)
        samples = torch.from_numpy(samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0])
        if native != rate:
            samples = torchaudio.functional.resample(samples, native, rate)
        length, hop = round(plan["seconds"] * rate), round(plan["hopSeconds"] * rate)
        if len(samples) < length:
            samples = samples.repeat(-(-length // len(samples)))[:length]
        last = len(samples) - length
        starts = [*range(0, last, hop), last]
        windows = torch.stack([samples[start : start + length] for start in starts])
        power = windows.square().mean(dim=1, keepdim=True).clamp_min(1e-12)
        return windows * (10 ** (conditioning["windowLevelDbfs"] / 10) / power).sqrt()

    def score_files(self, paths, layout):
        parts = [self.windows_of(path) for path in paths]
        scores = self.logits(self.mel(torch.cat(parts)), layout)
        return [part.mean().item() for part in scores.split([len(part) for part in parts])]

    def scan_files(self, paths, way):
        workers, layout, batch = way
        torch.set_num_threads(self.threads // workers)
        batches = [paths[at : at + batch] for at in range(0, len(paths), batch)]

        def work(some):
            # What holds for a thread is set in that thread.
            torch.set_num_threads(self.threads // workers)
            with torch.inference_mode():
                return self.score_files(some, layout)

        if workers == 1:
            found = [work(some) for some in batches]
        else:
            found = list(self.pool.map(work, batches))
        return [score for scores in found for score in scores]

    def scan(self, request):
        paths = request["files"]
        if self.scan_way is None:
            some = paths[:96]
            self.scan_files(some, (1, "plain", 8))
            ways = [
                (workers, layout, batch)
                for workers in {1, self.threads}
                for layout in ("plain", "last")
                for batch in (1, 4, 16)
            ]
            self.scan_way = best_of(ways, lambda way: timed(lambda: self.scan_files(some, way)))
        seconds = timed(lambda: self.scan_files(paths, self.scan_way))
        workers, layout, batch = self.scan_way
        memory = "channels last" if layout == "last" else "NCHW"
        return {"seconds": seconds, "way": f"{workers} worker(s), batches of {batch} files, {memory}"}

    def infer(self, request):
        windows = request["windows"]
        shape = (self.card["network"]["input"]["bins"], self.card["network"]["input"]["frames"])

        def run(way):
            workers, layout, batch = way
            features = torch.rand(batch, *shape) * 40 - 60

            def work(count):
                torch.set_num_threads(self.threads // workers)
                with torch.inference_mode():
                    for _ in range(count):
                        self.logits(features, layout)

            count = -(-windows // batch)
            began = time.perf_counter()
            if workers == 1:
                work(count)
            else:
                list(self.pool.map(work, [-(-count // workers)] * workers))
                count = -(-count // workers) * workers
            return (time.perf_counter() - began) / (count * batch)

        layout = request["layout"]
        if layout not in self.infer_ways:
            ways = [(workers, layout, batch) for workers in {1, self.threads} for batch in (1, 4, 16, 64)]
            self.infer_ways[layout] = best_of(ways, run)
        workers, layout, batch = self.infer_ways[layout]
        memory = "channels last" if layout == "last" else "NCHW"
        seconds = run((workers, layout, batch)) * windows
        return {"seconds": seconds, "way": f"{workers} worker(s), batches of {batch}, {memory}"}

    def mel_alone(self, request):
        """Clips of so many samples on one thread."""
        torch.set_num_threads(1)
        clips = request["clips"]

        def run(batch):
            samples = torch.rand(batch, request["samples"]) - 0.5
            with torch.inference_mode():
                return timed(lambda: [self.mel(samples) for _ in range(clips // batch)])

        if self.mel_way is None:
            self.mel_way = best_of((1, 4, 16), run)
        return {"seconds": run(self.mel_way), "way": f"batches of {self.mel_way}"}

    def train(self, request):
        """So many steps of Adam."""
        torch.set_num_threads(self.threads)
        batch, steps = request["batch"], request["steps"]
        shape = (self.card["network"]["input"]["bins"], self.card["network"]["input"]["frames"])
        features = (torch.rand(batch, *shape) * 40 - 60).unsqueeze(1)
        targets = (torch.arange(batch) % 2).float()

        def run(layout):
            if layout not in self.trainers:
                network = self.network(layout).train()
                self.trainers[layout] = network, torch.optim.Adam(network.parameters(), lr=1e-3)
                run(layout)
            network, optimiser = self.trainers[layout]
            x = features.contiguous(memory_format=torch.channels_last) if layout == "last" else features

            def work():
                for _ in range(steps):
                    optimiser.zero_grad(set_to_none=True)
                    loss = functional.binary_cross_entropy_with_logits(network(x).flatten(), targets)
                    loss.backward()
                    optimiser.step()
                    loss.item()

            return timed(work)

        best = min(("plain", "last"), key=run)
        memory = "channels last" if best == "last" else "NCHW"
        return {"seconds": run(best), "way": memory}


def main():
    peer = Peer()
    answer = sys.stdout
    sys.stdout = sys.stderr
    actions = {
        "load": peer.load,
        "score": peer.score,
        "scan": peer.scan,
        "infer": peer.infer,
        "mel": peer.mel_alone,
        "train": peer.train,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            response = actions[request["do"]](request)
        except Exception as error:
            response = {"error": f"{type(error).__name__}: {error}"}
        answer.write(json.dumps(response) + "\n")
        answer.flush()


if __name__ == "__main__":
    main()
