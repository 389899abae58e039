"""``python -m recipes.safeguards.convert``: other people's networks, as this toolkit loads them.

Each comes out of a package of a public registry, is rebuilt as a plain network of ours and
written as safetensors. This is done once, by whoever maintains the weights; the toolkit never
does it.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facesync.safeguards import faceprint, intimate
from recipes.safeguards.tfjs import Weights, unpack
from voicefake.common.consent import voiceprint
from voicefake.common.modelfile import ModelFile, save_model

_BATCH_NORM_EPSILON = 1e-3


def main() -> None:
    """Convert one package."""
    parser = argparse.ArgumentParser(prog="python -m recipes.safeguards.convert")
    parser.add_argument("network", choices=_NETWORKS)
    parser.add_argument("package", type=Path, help="the wheel or npm package it comes in")
    arguments = parser.parse_args()
    network, target, kind, details, read = _NETWORKS[arguments.network]
    network.load_state_dict(read(arguments.package))
    save_model(target, ModelFile(kind, {}, dict(network.state_dict()), details))
    print(f"wrote {target}, {target.stat().st_size / 2**20:.1f} MiB")


def read_resemblyzer(wheel: Path) -> dict[str, Tensor]:
    """The voice encoder of Resemblyzer 0.1.4; only tensors are unpickled."""
    with zipfile.ZipFile(wheel) as packed, packed.open("resemblyzer/pretrained.pt") as file:
        state: dict[str, Tensor] = torch.load(file, "cpu", weights_only=True)["model_state"]
    return {name: value for name, value in state.items() if name.startswith(("lstm.", "linear."))}


def read_face_api(package: Path) -> dict[str, Tensor]:
    """The face recogniser of @vladmandic/face-api 1.7.15, its scales folded into its filters."""
    with tarfile.open(package) as packed:
        stem = "package/model/face_recognition_model"
        specs = json.loads(_member(packed, f"{stem}-weights_manifest.json"))[0]["weights"]
        weights = unpack(_member(packed, f"{stem}.bin"), specs)
    state = {"fc.weight": torch.from_numpy(weights["fc"].T.copy())}
    for stem in {name.rpartition("/conv/")[0] for name in weights} - {""}:
        scale = weights[f"{stem}/scale/weights"]
        name = stem.replace("/", ".")
        name = name if name == "conv32_down" else f"blocks.{name}"
        bias = weights[f"{stem}/conv/bias"] * scale + weights[f"{stem}/scale/biases"]
        state |= _convolution(name, weights[f"{stem}/conv/filters"] * scale, bias)
    return state


def read_nsfwjs(package: Path) -> dict[str, Tensor]:
    """The small MobileNetV2 of nsfwjs 4.4.0, its batch norms folded into its filters."""
    folder = "package/dist/models/mobilenet_v2"
    with tarfile.open(package) as packed:
        script = _member(packed, f"{folder}/model.min.js").decode()
        carrier = _member(packed, f"{folder}/group1-shard1of1.min.js").decode()
    data = max(re.findall(r'"([A-Za-z0-9+/=]+)"', carrier), key=len)
    weights = unpack(base64.b64decode(data), _specs(script))
    state: dict[str, Tensor] = {}
    for number in range(3):
        state[f"dense.{number}.weight"] = torch.from_numpy(weights[f"dense_{number + 1}/kernel"].T)
        state[f"dense.{number}.bias"] = torch.from_numpy(weights[f"dense_{number + 1}/bias"])
    state |= _normed(weights, "first", "Conv1", "bn_Conv1")
    state |= _normed(weights, "last", "Conv_1", "Conv_1_bn")
    for number in range(17):
        stem = f"block_{number}" if number else "expanded_conv"
        for part in ("expand", "depthwise", "project") if number else ("depthwise", "project"):
            theirs = f"{stem}_{part}"
            state |= _normed(weights, f"blocks.{number}.{part}", theirs, f"{theirs}_BN")
    return state


def _normed(weights: Weights, ours: str, theirs: str, norm: str) -> dict[str, Tensor]:
    """A convolution with the batch norm behind it folded in."""
    deep = weights.get(f"{theirs}/depthwise_kernel")
    filters = weights[f"{theirs}/kernel"] if deep is None else deep.transpose(0, 1, 3, 2)
    variance = weights[f"{norm}/moving_variance"] + _BATCH_NORM_EPSILON
    scale = weights[f"{norm}/gamma"] / np.sqrt(variance)
    bias = weights[f"{norm}/beta"] - weights[f"{norm}/moving_mean"] * scale
    return _convolution(ours, filters * scale, bias)


def _convolution(name: str, filters: Any, bias: Any) -> dict[str, Tensor]:
    """TensorFlow's order (height, width, in, out) to torch's."""
    ours = np.ascontiguousarray(filters.transpose(3, 2, 0, 1))
    return {f"{name}.weight": torch.from_numpy(ours), f"{name}.bias": torch.from_numpy(bias)}


def _specs(script: str) -> list[Mapping[str, Any]]:
    """The list of weights in a minified script: JSON but for bare keys and bare points."""
    listed = re.search(r"weights:(\[\{.*?\}\])\}\]", script)
    if listed is None:
        raise ValueError("the script lists no weights")
    text = re.sub(r"([{,])(\w+):", r'\1"\2":', listed.group(1))
    text = re.sub(r"(?<=[:\-])\.(?=\d)", "0.", text)
    specs: list[Mapping[str, Any]] = json.loads(text)
    return specs


def _member(packed: tarfile.TarFile, name: str) -> bytes:
    file = packed.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


_Read = Callable[[Path], dict[str, Tensor]]
_NETWORKS: dict[str, tuple[nn.Module, Path, str, dict[str, str], _Read]] = {
    "voiceprint": (
        voiceprint.VoiceprintNetwork(),
        voiceprint.WEIGHTS,
        voiceprint.KIND,
        {
            "licence": "Apache-2.0",
            "attribution": "Resemble AI, Corentin Jemine",
            "source": "PyPI resemblyzer 0.1.4",
        },
        read_resemblyzer,
    ),
    "faceprint": (
        faceprint.FaceprintNetwork(),
        faceprint.WEIGHTS,
        faceprint.KIND,
        {
            "licence": "CC0-1.0 (weights), MIT (their port)",
            "attribution": "Davis King; Vincent Mühler; Vladimir Mandic",
            "source": "npm @vladmandic/face-api 1.7.15",
        },
        read_face_api,
    ),
    "intimate": (
        intimate.IntimateNetwork(),
        intimate.WEIGHTS,
        intimate.KIND,
        {
            "licence": "MIT",
            "attribution": "the nsfw_model developers; Infinite Red",
            "source": "npm nsfwjs 4.4.0",
        },
        read_nsfwjs,
    ),
}

if __name__ == "__main__":
    main()
