"""DistillMOS (Microsoft, MIT) as an encoder that a laboratory brings, and a head fitted on it in Python.

    python -m venv .venv && .venv/bin/pip install -r bench/peer/encoder-requirements.txt
    .venv/bin/python bench/peer/distillmos_encoder.py export distillmos.onnx       # and distillmos.json, its card
    .venv/bin/python bench/peer/distillmos_encoder.py figures request.json         # for bench/brought-encoder.ts

Its layers are what goes into its Transformer and what each of its seven blocks gives. Positions are cut to the window, not
padded to the 7.68 s that it was trained on. `figures` runs the published PyTorch modules, not the exported graph.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from distillmos import ConvTransformerSQAModel
from torch import nn

WINDOW = 48_000
WIDTH = 200


class Spectrum(nn.Module):
    """The compressed spectrum of DistillMOS, its transform as a convolution: ONNX has none with reflected edges."""

    def __init__(self, cnn):
        super().__init__()
        self.hop, self.length = cnn.hop_length, cnn.win_length
        angle = 2 * np.pi / self.length * np.outer(np.arange(self.length // 2 + 1), np.arange(self.length))
        hann = torch.hann_window(self.length).double().numpy()
        kernels = np.concatenate([np.cos(angle) * hann, -np.sin(angle) * hann])[:, None]
        self.register_buffer("kernels", torch.from_numpy(kernels.astype(np.float32)))

    def forward(self, samples):
        edge = (self.length - self.hop) // 2
        padded = nn.functional.pad(samples.unsqueeze(1), (edge, edge), mode="reflect")
        parts = nn.functional.conv1d(padded, self.kernels, stride=self.hop)
        parts = parts.unflatten(1, (2, self.length // 2 + 1))
        size = parts.square().sum(1, keepdim=True).sqrt().clamp_min(1e-12)
        return size**0.3 * parts / size


class Layers(nn.Module):
    """Samples [1, samples] to the layers, each [1, positions, width]."""

    def __init__(self, model, spectrum):
        super().__init__()
        self.spectrum = spectrum
        self.cnn = model.cnn.cnn
        self.norm = model.transformer_pool_attn.norm_input
        self.inner = model.transformer_pool_attn.transformer

    def forward(self, samples):
        samples = samples / (samples.abs().amax(1, keepdim=True) + 1e-8)
        x = self.cnn(self.spectrum(samples)).flatten(1, -2)
        x = self.inner.norm(self.norm(x)).transpose(1, 2)
        x = self.inner.linear_proj(x)
        x = x + self.inner.position_encoding.pe[:, : x.shape[1]]
        layers = [x]
        for block in self.inner.transformer_encoder.layers:
            layers.append(block(layers[-1]))
        return tuple(layers)


class PublishedSpectrum(nn.Module):
    def forward(self, samples):
        from distillmos.sqa import _complex_compressed

        return _complex_compressed(samples, 160, 320).permute(0, 3, 1, 2)


def load():
    model = ConvTransformerSQAModel().eval()
    # The fused path of inference is no operation of ONNX.
    torch.backends.mha.set_fastpath_enabled(False)
    return model


def export(path):
    model = load()
    layers = Layers(model, Spectrum(model.cnn)).eval()
    count = 1 + len(layers.inner.transformer_encoder.layers)
    torch.manual_seed(1)
    sample = 0.1 * torch.randn(1, WINDOW)
    with torch.no_grad():
        published = Layers(model, PublishedSpectrum()).eval()(sample)
        ours = layers(sample)
        furthest = max((one - other).abs().max().item() for one, other in zip(ours, published))
    if furthest > 1e-3:
        raise ValueError(f"layers differ from the published modules' by {furthest}")
    names = [f"layer.{index}" for index in range(count)]
    torch.onnx.export(
        layers, (sample,), path, input_names=["samples"], output_names=names, opset_version=17, dynamo=False
    )
    import onnxruntime

    found = onnxruntime.InferenceSession(path).run(None, {"samples": sample.numpy()})
    exported = max(np.abs(one - other.numpy()).max() for one, other in zip(found, published))
    card = {
        "name": "distillmos",
        "description": "DistillMOS, variant 7: what goes into its Transformer and what its seven blocks give",
        "licence": "MIT",
        "source": "https://github.com/microsoft/Distill-MOS",
        "input": {"name": "samples", "samples": WINDOW},
        "layers": names,
        "width": WIDTH,
    }
    Path(path).with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    print(f"{path}: layers as ONNX differ from the published modules' by up to {exported:.1e}")


def pooled(layers):
    """Layer after layer its means over time, then its deviations."""
    return np.concatenate([part for one in layers for part in (one[0].mean(0), one[0].std(0, correction=0))])


def embeddings(files, card, speech):
    sys.path.insert(0, str(Path(__file__).parent))
    from conditioning import Conditioning, Speech

    conditioning = Conditioning(card, Speech(speech))
    layers = Layers(load(), PublishedSpectrum()).eval()
    rows = []
    with torch.inference_mode():
        for path in files:
            ((windows, _),) = conditioning.windows([path])
            rows.append(np.mean([pooled(layers(window[None])) for window in windows], axis=0))
    return np.stack(rows)


def eer_and_auc(bonafide, scores):
    from sklearn.metrics import roc_auc_score, roc_curve

    false_accepts, accepts, _ = roc_curve(bonafide, scores)
    misses = 1 - accepts
    at = np.argmin(np.abs(false_accepts - misses))
    return (false_accepts[at] + misses[at]) / 2, roc_auc_score(bonafide, scores)


def figures(request_path):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    request = json.loads(Path(request_path).read_text())
    torch.set_num_threads(1)
    card = json.loads(Path(request["card"]).read_text())
    train, test = request["train"], request["test"]
    spread = 1 if request["pooling"] == "mean" else 2
    places = [
        2 * WIDTH * layer + place for layer in request["layers"] for place in range(spread * WIDTH)
    ]
    known = embeddings([one["path"] for one in train], card, request["speech"])[:, places]
    scaler = StandardScaler().fit(known)
    head = LogisticRegression(C=request["strength"], max_iter=5000)
    labels = [one["bonafide"] for one in train]
    head.fit(scaler.transform(known), labels, sample_weight=[one["weight"] for one in train])
    rows = embeddings([one["path"] for one in test], card, request["speech"])[:, places]
    scores = head.decision_function(scaler.transform(rows))
    eer, auc = eer_and_auc([one["bonafide"] for one in test], scores)
    print(json.dumps({"eer": eer, "auc": auc, "scores": scores.tolist()}))


if __name__ == "__main__":
    {"export": export, "figures": figures}[sys.argv[1]](sys.argv[2])
