"""Checks the cards of resources/encoder-cards against the architectures in transformers, with random weights.

    .venv/bin/pip install -r bench/peer/encoder-requirements.txt
    .venv/bin/python bench/peer/encoder_cards.py                      # layers, widths and input of every card
    .venv/bin/python bench/peer/encoder_cards.py whisper-base out.onnx  # exports one, with random weights, and compares it

Sizes are the published configurations'. Shapes are computed without weights (PyTorch's meta device). Published weights are not
looked at.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import (
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

CARDS = Path(__file__).parents[2] / "resources" / "encoder-cards"
SAMPLES = 48_000

LARGE = dict(
    hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
    feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True,
)
BILLION = {**LARGE, "hidden_size": 1280, "num_hidden_layers": 48, "intermediate_size": 5120}


def whisper(width, layers, heads, mels=80):
    return WhisperEncoder, WhisperConfig(
        d_model=width, encoder_layers=layers, encoder_attention_heads=heads, encoder_ffn_dim=4 * width,
        num_mel_bins=mels, attn_implementation="eager",
    )


ARCHITECTURES = {
    "wav2vec2-base": (Wav2Vec2Model, Wav2Vec2Config(attn_implementation="eager")),
    "wav2vec2-large": (Wav2Vec2Model, Wav2Vec2Config(attn_implementation="eager", **LARGE)),
    "xls-r-300m": (Wav2Vec2Model, Wav2Vec2Config(attn_implementation="eager", **LARGE)),
    "xls-r-1b": (Wav2Vec2Model, Wav2Vec2Config(attn_implementation="eager", **BILLION)),
    "hubert-base": (HubertModel, HubertConfig(attn_implementation="eager")),
    "hubert-large": (HubertModel, HubertConfig(attn_implementation="eager", **LARGE)),
    "wavlm-base": (WavLMModel, WavLMConfig(attn_implementation="eager")),
    "wavlm-large": (WavLMModel, WavLMConfig(attn_implementation="eager", **LARGE)),
    "whisper-base": whisper(512, 6, 8),
    "whisper-small": whisper(768, 12, 12),
    "whisper-medium": whisper(1024, 24, 16),
    "whisper-large-v3": whisper(1280, 32, 20, 128),
}


class WaveLayers(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, samples):
        return tuple(self.model(samples, output_hidden_states=True).hidden_states)


class WhisperLayers(torch.nn.Module):
    """Positions are cut to the window: the published forward takes 30 s and nothing else."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features):
        gelu = torch.nn.functional.gelu
        x = gelu(self.encoder.conv2(gelu(self.encoder.conv1(features)))).permute(0, 2, 1)
        x = x + self.encoder.embed_positions.weight[: x.shape[1]]
        layers = [x]
        for layer in self.encoder.layers:
            layers.append(layer(layers[-1], None))
        return tuple(layers)


def layers_of(name, device):
    kind, config = ARCHITECTURES[name]
    with torch.device(device):
        model = kind(config).eval()
    return (WhisperLayers if kind is WhisperEncoder else WaveLayers)(model)


def sample(card, device):
    front = card["input"].get("frontEnd")
    shape = (1, SAMPLES) if front is None else (1, int(front.rsplit("-", 1)[1]), SAMPLES // 160)
    return 0.1 * torch.randn(shape, device=device)


def check(path):
    card = json.loads(path.read_text())
    with torch.no_grad():
        layers = layers_of(path.stem, "meta")(sample(card, "meta"))
    found = len(layers), {one.shape[2] for one in layers}
    if found != (len(card["layers"]), {card["width"]}):
        raise ValueError(f"{path.name} says {len(card['layers'])} layers of {card['width']}, and there are {found}")
    print(f"{path.stem}: {len(layers)} layers {list(layers[0].shape)}", flush=True)


def export(name, path):
    card = json.loads((CARDS / f"{name}.json").read_text())
    torch.manual_seed(1)
    model = layers_of(name, "cpu")
    given = sample(card, "cpu")
    input_name = card["input"]["name"]
    names = {"input_names": [input_name], "output_names": card["layers"]}
    torch.onnx.export(model, (given,), path, **names, opset_version=17, dynamo=False)
    import onnxruntime

    found = onnxruntime.InferenceSession(path).run(None, {input_name: given.numpy()})
    with torch.no_grad():
        furthest = max((torch.from_numpy(one) - other).abs().max().item() for one, other in zip(found, model(given)))
    print(f"{path}: layers differ from PyTorch's by up to {furthest:.1e}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        export(*sys.argv[1:])
    else:
        for one in sorted(CARDS.glob("*.json")):
            check(one)
