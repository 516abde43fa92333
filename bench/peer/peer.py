"""The benchmark's peer: the same work as a Python programmer would write it with SoundFile, SciPy, PyTorch and onnxruntime.

Started once by bench/run.ts; takes one JSON request a line on standard input and answers each by one JSON line on
standard output. It is meant to be fair, and where in doubt to favour the peer:

- everything loaded and warmed up before anything is timed; no start per file;
- batched: voice activity detection, spectra and networks run over the windows of several files at once, in inference mode; the
  spectra of all front ends come from one transform;
- two threads or processes (as many as ours). Memory layouts (NCHW, channels last), normalisations folded into
  convolutions, frozen and compiled networks, sizes of batch, one process with two threads or two with one each: what is fastest
  on this machine is taken before timing;
- the same files, conditioning, windows, front ends, networks, encoder and weights: its scores are compared with ours first;
- in scanning it reads, conditions, transforms and scores. Ours also hashes each file, measures quality and makes a
  result for each file; the peer is spared all that;
- in training the same network, batch, loss and optimiser (AdamW), batch statistics where the network has them.

Needs Python 3.11 with what requirements.txt names.
"""

import json
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import scipy
import soundfile
import torch
import torchaudio
from torch.nn import functional

from conditioning import Conditioning, Speech, one_thread
from networks import WAYS, build, laid_out, prepared, read_safetensors


class FrontEnd:
    """Linear and Mel log-spectra [N, bins, frames] in dB, and steps of phases, from spectra that are made once for all of them."""

    def __init__(self, front):
        self.floor = front["floorPower"]
        self.added = front.get("addedPower", 0)
        self.framing = tuple(front[key] for key in ("nFft", "winLength", "hopLength", "center"))
        size = front["nFft"] // 2 + 1
        if front["type"] == "mel":
            norm = "slaney" if front["norm"] == "slaney" else None
            scale = (front["nMels"], front["sampleRateHz"], norm, front["melScale"])
            self.filters = torchaudio.functional.melscale_fbanks(size, front["fMin"], front["fMax"], *scale).t()
        elif front["type"] == "linear":
            step = front["sampleRateHz"] / front["nFft"]
            self.filters = None
            self.kept = slice(round(front["fMin"] / step), round(front["fMax"] / step) + 1)
        elif front["type"] == "phase":
            step = front["sampleRateHz"] / front["nFft"]
            self.first, self.last = round(front["fMin"] / step), round(front["fMax"] / step)
            bins = torch.arange(self.first, self.last + 1)[:, None]
            self.turns = torch.exp(-2j * torch.pi * (bins * front["hopLength"] % front["nFft"]) / front["nFft"])
            self.of = self.steps_of
        else:
            raise ValueError(f"the peer has no front end {front['type']}")

    def spectra(self, samples):
        """The spectra and their powers, [N, nFft / 2 + 1, frames]."""
        size, window, hop, center = self.framing
        hann = torch.hann_window(window)
        spectrum = torch.stft(samples, size, hop, window, hann, center=center, return_complex=True)
        return spectrum, spectrum.real.square() + spectrum.imag.square()

    def of(self, spectra):
        _, powers = spectra
        bands = powers[:, self.kept] if self.filters is None else self.filters @ powers
        return (bands + self.added).clamp_min(self.floor).log10().mul(10)

    def steps_of(self, spectra):
        """Cosines and sines of phases' steps in time, less each bin's own, and in frequency, [N, 4 * bins, frames - 1]."""
        spectrum, powers = (part[:, self.first : self.last + 2] for part in spectra)
        units = spectrum / (powers + self.added + self.floor).sqrt()
        in_time = units[:, :-1, 1:] * units[:, :-1, :-1].conj() * self.turns
        in_frequency = -units[:, 1:, 1:] * units[:, :-1, 1:].conj()
        return torch.cat([in_time.real, in_time.imag, in_frequency.real, in_frequency.imag], dim=1)


class Encoder:
    """A frozen encoder on onnxruntime with a head, a logit of its embedding."""

    def __init__(self, member, model, request):
        options = one_thread()
        # Weights of 8 bits become floats as the graph is loaded; else onnxruntime rounds their inputs to 8 bits, too, and is slower.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        self.session = onnxruntime.InferenceSession(
            request["encoders"][member["encoder"]["name"]], options, providers=["CPUExecutionProvider"]
        )
        head = read_safetensors(model / member["head"])
        self.kernel, self.bias = head["kernel"].flatten().numpy(), head["bias"].item()
        self.input = self.session.get_inputs()[0].name

    def score(self, windows, batch):
        samples = windows.numpy()
        parts = [
            self.session.run(None, {self.input: samples[at : at + batch]})[0] for at in range(0, len(samples), batch)
        ]
        return torch.from_numpy(np.concatenate(parts) @ self.kernel + self.bias)


class Locking:
    """Whether phases of fixed frequencies are kept: at multiples of some rates, and in bands."""

    def __init__(self, front):
        locking = front["locking"]
        self.rate, self.size, self.hop = front["sampleRateHz"], locking["nFft"], locking["hopLength"]
        self.points, self.floor, self.most = locking["points"], front["floorPower"], locking["mostOfFrequency"]
        self.quantiles = locking["quantiles"]
        self.window = torch.hann_window(self.size)
        low, high, per_bin = front["fMin"], front["fMax"], self.rate / self.size
        self.first = int(np.ceil(low / per_bin - 1e-6))
        self.end = int(np.floor(high / per_bin + 1e-6)) + 1
        lines, places, groups, counts = {}, [], [], []
        for rate in locking["ratesHz"]:
            multiples = np.arange(np.ceil(low / rate), np.floor(high / rate) + 1) * rate
            for start, stop in locking["rangesHz"]:
                inside = multiples[(multiples >= start) & (multiples < stop)]
                for hz in inside:
                    places.append(lines.setdefault(round(hz, 3), (len(lines), hz))[0])
                    groups.append(len(counts))
                counts += [len(inside)] if len(inside) else []
        self.hz = np.array([hz for _, hz in lines.values()])
        bins = np.clip(np.floor(self.hz / per_bin + 0.5), self.first, self.end - 1).astype(int) - self.first
        self.bins, self.places, self.groups = map(torch.from_numpy, (bins, np.array(places), np.array(groups)))
        self.counts = torch.tensor(counts, dtype=torch.float32)
        self.share = self.points * self.hop // self.size
        step = self.rate / self.hop / self.points
        lowest = self.first * per_bin - self.share / 2 * step
        place = lambda hz: int(np.clip(np.ceil((hz - lowest) / step - 1e-6), 0, (self.end - self.first) * self.share))
        self.bands = [(place(start), place(stop)) for start, stop in locking["bandsHz"]]
        self.turns = {}

    def features(self, sound):
        spectrum = torch.fft.rfft(sound.unfold(1, self.size, self.hop) * self.window)[:, :, self.first : self.end]
        power = spectrum.real.square() + spectrum.imag.square()
        units = torch.where(power > self.floor, spectrum / power.sqrt().clamp_min(1e-30), 0)
        count, frames, bins = units.shape
        if frames not in self.turns:
            angles = ((self.hz[:, None] * self.hop * np.arange(frames)) % self.rate) / self.rate
            self.turns[frames] = torch.from_numpy(np.exp(-2j * np.pi * angles).astype(np.complex64))
        sums = (units.transpose(1, 2)[:, self.bins] * self.turns[frames]).sum(dim=2)
        kept = ((sums.real.square() + sums.imag.square()) / frames).clamp_max(self.most)
        means = torch.zeros(count, len(self.counts)).index_add_(1, self.groups, kept[:, self.places]) / self.counts
        points = max(self.points, 1 << (frames - 1).bit_length())
        over = torch.fft.fft(units, n=points, dim=1)
        over = ((over.real.square() + over.imag.square()) / frames).transpose(1, 2)
        own = (torch.arange(self.first, self.end) * self.share)[:, None] - self.share // 2
        powers = over.gather(2, ((own + torch.arange(self.share)) % points).expand(count, -1, -1)).flatten(1)
        found = [means]
        for start, stop in self.bands:
            ordered = powers[:, start:stop].sort(dim=1).values
            found.append(ordered[:, [int(quantile * (stop - start)) for quantile in self.quantiles]])
        return torch.cat(found, dim=1)


class Trees:
    """Boosted trees on how phases are kept at some rates, each window by itself."""

    def __init__(self, member, folder):
        front = member["frontEnd"]
        self.rate, self.size, self.hop = front["sampleRateHz"], front["nFft"], front["hopLength"]
        self.floor, self.most = front["floorPower"], front["mostOfPair"]
        self.window = torch.hann_window(self.size)
        per_bin = self.rate / self.size
        self.first = int(np.ceil(front["fMin"] / per_bin - 1e-6))
        end = int(np.floor(front["fMax"] / per_bin + 1e-6)) + 1
        self.sums = []
        for rate in front["ratesHz"]:
            distance = int(np.floor(rate / per_bin + 0.5))
            apart = (rate, distance, False, self.first + distance, end)
            mirrored = (rate, distance, True, max(self.first, distance - end + 1), (distance - 4) // 2 + 1)
            self.sums += [one for one in (apart, mirrored) if distance > 0 and one[4] - one[3] >= 12]
        self.locking = Locking(front) if "locking" in front else None
        self.once = front.get("soundOnce", False)
        arrays = read_safetensors(folder / member["trees"])
        self.bias = arrays["bias"].item()
        self.starts = arrays["starts"].long().tolist()
        self.values, self.limits = arrays["values"].long().numpy(), arrays["limits"].numpy()
        self.lefts, self.outputs = arrays["lefts"].long().numpy(), arrays["outputs"].double().numpy()

    def features(self, windows, length):
        if self.once:
            windows = windows[:, : max(length, self.size + 7 * self.hop)]
        frames = windows.unfold(1, self.size, self.hop) * self.window
        spectrum = torch.fft.rfft(frames)
        power = spectrum.real.square() + spectrum.imag.square()
        units = torch.where(power > self.floor, spectrum / power.sqrt().clamp_min(1e-30), 0)
        starts = np.arange(units.shape[1]) * self.hop
        made = []
        for rate, distance, mirrored, first, end in self.sums:
            turns = torch.from_numpy(np.exp(-2j * np.pi * ((rate * starts) % self.rate) / self.rate).astype(np.complex64))
            bins = torch.arange(first, end)
            others = units[:, :, distance - bins] if mirrored else units[:, :, bins - distance].conj()
            kept = (units[:, :, first:end] * others * turns[:, None]).sum(dim=1)
            made.append(((kept.real.square() + kept.imag.square()) / len(starts)).clamp_max(self.most).mean(dim=1))
        values = torch.stack(made, dim=1)
        return torch.cat([values, self.locking.features(windows)], dim=1) if self.locking else values

    def score(self, windows, lengths):
        rows = np.empty((len(windows), 0), np.float32)
        for length in np.unique(lengths):
            alike = lengths == length
            found = self.features(windows[torch.from_numpy(alike)], int(length)).numpy()
            if rows.shape[1] == 0:
                rows = np.empty((len(windows), found.shape[1]), np.float32)
            rows[alike] = found
        scores = []
        for row in rows:
            score = self.bias
            for start in self.starts:
                node = 0
                while self.values[start + node] >= 0:
                    node = self.lefts[start + node] + (row[self.values[start + node]] > self.limits[start + node])
                score += self.outputs[start + node]
            scores.append(score)
        return torch.tensor(scores, dtype=torch.float32)


class Model:
    """All members of a model, in one process."""

    def __init__(self, request):
        folder = Path(request["folder"])
        self.card = json.loads((folder / "card.json").read_text())
        if request["listening"] and self.card["conditioning"]["speech"] == "none":
            raise ValueError("the model does not listen for speech")
        self.conditioning = Conditioning(self.card, Speech(request["speech"]) if request["listening"] else None)
        self.members = self.card["members"]
        self.networks = {}
        self.fronts = {}
        self.encoders = {}
        self.trees = {}
        for member in self.members:
            if member["kind"] == "network":
                self.fronts[member["name"]] = FrontEnd(member["frontEnd"])
                self.networks[member["name"]] = (member, read_safetensors(folder / member["weights"]), {})
            elif member["kind"] == "encoder":
                self.encoders[member["name"]] = Encoder(member, folder, request)
            elif member["kind"] == "trees":
                self.trees[member["name"]] = Trees(member, folder)
            else:
                raise ValueError(f"the peer has no member of kind {member['kind']}")

    def network(self, name, way):
        member, weights, ready = self.networks[name]
        if way not in ready:
            with torch.inference_mode(False), torch.no_grad():
                ready[way] = prepared(build(member["network"], weights, dropout=False), way)
        return ready[way]

    def features(self, windows):
        """By member, [N, bins, frames]; members that look alike share theirs."""
        spectra, made, result = {}, {}, {}
        for name, front in self.fronts.items():
            if front.framing not in spectra:
                spectra[front.framing] = front.spectra(windows)
            key = json.dumps(self.networks[name][0]["frontEnd"])
            if key not in made:
                made[key] = front.of(spectra[front.framing])
            result[name] = made[key]
        return result

    def scores(self, windows, lengths, way, encoder_batch):
        """Of each window, and the members' [members, N]; `lengths` are samples before the windows' sound repeats."""
        features = self.features(windows)
        found = []
        for member in self.members:
            name = member["name"]
            if name in self.encoders:
                found.append(self.encoders[name].score(windows, encoder_batch))
            elif name in self.trees:
                found.append(self.trees[name].score(windows, lengths))
            else:
                found.append(self.network(name, way)(laid_out(features[name].unsqueeze(1), way)).flatten())
        members = torch.stack(found)
        weights = torch.tensor([member["weight"] for member in self.members])
        return weights @ members, members

    def score_files(self, paths, way, encoder_batch):
        with torch.inference_mode():
            parts = self.conditioning.windows(paths)
            sizes = [len(part) for part, _ in parts]
            lengths = np.repeat([length for _, length in parts], sizes)
            scores, members = self.scores(torch.cat([part for part, _ in parts]), lengths, way, encoder_batch)
            result = zip(scores.split(sizes), members.split(sizes, dim=1))
            return [
                {"score": one.mean().item(), "members": own.mean(dim=1).tolist(), "windows": len(one)}
                for one, own in result
            ]


# In a worker process.
worker_model = None


def start_worker(request):
    global worker_model
    torch.set_num_threads(1)
    worker_model = Model(request)


def score_in_worker(job):
    return worker_model.score_files(*job)


def best_of(ways, measure):
    return min(ways, key=lambda way: min(measure(way) for _ in range(2)))


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Peer:
    def __init__(self):
        self.models = {}
        self.model = None
        self.scan_ways = {}
        self.infer_ways = {}
        self.front_way = None
        self.trainers = {}

    def load(self, request):
        """A model under a key: its workers and, in this process, its members."""
        self.threads = request["threads"]
        self.ways = WAYS if request["compile"] else WAYS[:-1]
        torch.set_num_threads(self.threads)
        pool = multiprocessing.get_context("spawn").Pool(self.threads, start_worker, (request,))
        self.models[request["key"]] = (Model(request), pool)
        self.model = self.models[request["key"]][0]
        return {}

    def versions(self, _):
        return {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
            "scipy": scipy.__version__,
            "soundfile": soundfile.__version__,
        }

    def unload(self, request):
        _, pool = self.models.pop(request["key"])
        pool.terminate()
        return {}

    def scan_files(self, key, paths, way):
        processes, layout, batch, encoder_batch = way
        model, pool = self.models[key]
        jobs = [(paths[at : at + batch], layout, encoder_batch) for at in range(0, len(paths), batch)]
        if processes == 1:
            found = [model.score_files(*job) for job in jobs]
        else:
            found = pool.map(score_in_worker, jobs, chunksize=1)
        return [score for scores in found for score in scores]

    def scores(self, request):
        """What files score; batched as the fastest way has it, or the encoder's windows one by one."""
        way = self.scan_way(request["key"], request["files"])
        found = self.scan_files(request["key"], request["files"], way)
        alone = self.scan_files(request["key"], request["files"], (*way[:3], 1))
        return {"batched": found, "alone": alone}

    def scan_way(self, key, paths):
        if key not in self.scan_ways:
            model, _ = self.models[key]
            layout = self.layout(next(iter(model.networks)), model) if model.networks else WAYS[0]
            some = paths[:64]
            encoder_batches = (1, 8) if model.encoders else (1,)
            ways = [(self.threads, layout, batch, encoder) for batch in (4, 16) for encoder in encoder_batches]
            ways.append((1, layout, 16, encoder_batches[-1]))
            self.scan_files(key, some, ways[0])
            self.scan_ways[key] = best_of(ways, lambda way: timed(lambda: self.scan_files(key, some, way)))
        return self.scan_ways[key]

    def layout(self, name, model):
        """The fastest way for a network in batches of 16 on one thread; those that fail are left out."""
        spec = model.networks[name][0]["network"]["input"]
        x = torch.rand(16, 1, spec["bins"], spec["frames"]) * 40 - 60
        torch.set_num_threads(1)
        seconds = {}
        for way in self.ways:
            try:
                with torch.inference_mode():
                    network = model.network(name, way)
                    for _ in range(3):
                        network(laid_out(x, way))
                    seconds[way] = min(timed(lambda: network(laid_out(x, way))) for _ in range(4))
            except Exception as error:
                print(f"peer: {way}: {type(error).__name__}: {error}", file=sys.stderr)
        torch.set_num_threads(self.threads)
        listed = ", ".join(f"{way} {16 / seconds[way]:.0f}" for way in seconds)
        print(f"peer: windows/s of {name} on one thread: {listed}", file=sys.stderr)
        return min(seconds, key=seconds.get)

    def scan(self, request):
        way = self.scan_way(request["key"], request["files"])
        seconds = timed(lambda: self.scan_files(request["key"], request["files"], way))
        processes, layout, batch, encoder_batch = way
        encoding = f", {encoder_batch} window(s) a run of the encoder" if self.models[request["key"]][0].encoders else ""
        return {"seconds": seconds, "way": f"{processes} process(es), batches of {batch} files{encoding}, {layout}"}

    def infer(self, request):
        """The first network alone."""
        windows, plain = request["windows"], request["plain"]
        name = next(iter(self.model.networks))
        spec = self.model.networks[name][0]["network"]["input"]
        pool = ThreadPoolExecutor(self.threads)

        def run(way):
            workers, layout, batch = way
            network = self.model.network(name, layout)
            features = torch.rand(batch, 1, spec["bins"], spec["frames"]) * 40 - 60

            def work(count):
                torch.set_num_threads(self.threads // workers)
                with torch.inference_mode():
                    for _ in range(count):
                        network(laid_out(features, layout))

            count = -(-windows // batch)
            began = time.perf_counter()
            if workers == 1:
                work(count)
            else:
                list(pool.map(work, [-(-count // workers)] * workers))
                count = -(-count // workers) * workers
            return (time.perf_counter() - began) / (count * batch)

        if plain not in self.infer_ways:
            layout = "NCHW" if plain else self.layout(name, self.model)
            ways = [(workers, layout, batch) for workers in {1, self.threads} for batch in (1, 4, 16)]
            self.infer_ways[plain] = best_of(ways, run)
        workers, layout, batch = self.infer_ways[plain]
        seconds = run((workers, layout, batch)) * windows
        pool.shutdown()
        torch.set_num_threads(self.threads)
        return {"seconds": seconds, "way": f"{workers} worker(s), batches of {batch}, {layout}"}

    def front_ends(self, request):
        """Every front end of the model for clips of so many samples, on one thread."""
        torch.set_num_threads(1)
        clips = request["clips"]

        def run(batch):
            samples = torch.rand(batch, request["samples"]) - 0.5
            with torch.inference_mode():
                return timed(lambda: [self.model.features(samples) for _ in range(clips // batch)])

        if self.front_way is None:
            self.front_way = best_of((1, 4, 16), run)
        seconds = run(self.front_way)
        torch.set_num_threads(self.threads)
        return {"seconds": seconds, "way": f"batches of {self.front_way}"}

    def trainer(self, request, way):
        """Network, optimiser and one step of AdamW, whose decay spares biases and scales as ours does."""
        layout, own_padding = way
        spec, batch = request["network"], request["batch"]
        features = np.fromfile(request["features"], dtype="<f4")
        x = torch.from_numpy(features.reshape(batch, 1, spec["input"]["bins"], spec["input"]["frames"]))
        targets = torch.tensor(request["targets"], dtype=torch.float32)
        weights = read_safetensors(request["weights"])
        network = build(spec, weights, dropout=request["dropout"], own_padding=own_padding).train()
        if layout == "channels last":
            network = network.to(memory_format=torch.channels_last)
            x = x.contiguous(memory_format=torch.channels_last)
        kernels = [one for one in network.parameters() if one.dim() >= 2]
        others = [one for one in network.parameters() if one.dim() < 2]
        groups = [{"params": kernels, "weight_decay": request["weightDecay"]}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=request["learningRate"], eps=1e-7, fused=True)

        def step():
            optimiser.zero_grad(set_to_none=True)
            loss = functional.binary_cross_entropy_with_logits(network(x).flatten(), targets)
            loss.backward()
            optimiser.step()
            return loss.item()

        return step

    def losses(self, request):
        """The losses of the first steps, without dropout, exactly as ours pads."""
        step = self.trainer({**request, "dropout": False}, ("NCHW", False))
        return {"losses": [step() for _ in range(request["steps"])]}

    def train(self, request):
        key = json.dumps(request["network"])
        steps = request["steps"]
        if key not in self.trainers:
            ways = [(layout, own) for layout in ("NCHW", "channels last") for own in (False, True)]
            trainers = {way: self.trainer({**request, "dropout": True}, way) for way in ways}
            for step in trainers.values():
                step()
            best = best_of(ways, lambda way: timed(lambda: [trainers[way]() for _ in range(3)]))
            self.trainers[key] = best, trainers[best]
        (layout, own), step = self.trainers[key]
        seconds = timed(lambda: [step() for _ in range(steps)])
        return {"seconds": seconds, "way": f"{layout}, {'its own padding' if own else 'padding as ours'}"}


def main():
    peer = Peer()
    answer = sys.stdout
    sys.stdout = sys.stderr
    actions = {
        "versions": peer.versions,
        "load": peer.load,
        "unload": peer.unload,
        "scores": peer.scores,
        "scan": peer.scan,
        "infer": peer.infer,
        "front-ends": peer.front_ends,
        "losses": peer.losses,
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
    for _, pool in peer.models.values():
        pool.terminate()


if __name__ == "__main__":
    main()
