"""Somebody to swap to: the file that holds them, and where such files are kept.

An identity's file holds a vector, the face at rest and reference pictures. An identity that
was trained brings its own network; one that was only described is drawn by the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from facesync import mesh
from facesync.models.network import (
    IDENTITY_KIND,
    FaceNetwork,
    NetworkConfig,
    load_network,
)
from facesync.references import Reference
from facesync.retarget import Neutral
from voicefake.common.errors import BadInput
from voicefake.common.modelfile import ModelFile, load_model, rebuild, save_model
from voicefake.common.profiles import Profile

FILE = "identity.safetensors"
PREVIEW = "preview.jpg"
BASE = Path(__file__).parent / "weights" / "base.safetensors"
_OWN = "network."
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Identity:
    """A person that can be drawn.

    Attributes:
        network: the base, or this person's own.
        vector: (1, identity) who.
        neutral: the face at rest.
        references: pictures, one at least.
    """

    network: FaceNetwork
    vector: Tensor
    neutral: Neutral
    references: Sequence[Reference]


def write_identity(
    path: Path, identity: Identity, *, own_network: bool, details: dict[str, Any]
) -> None:
    """Write ``identity`` to a file; with ``own_network`` its weights go along."""
    tensors: dict[str, Tensor] = {
        "vector": identity.vector,
        "neutral.points": torch.from_numpy(identity.neutral.points),
        "neutral.open_eyes": torch.from_numpy(identity.neutral.open_eyes),
        "references.points": torch.from_numpy(np.stack([r.points for r in identity.references])),
    }
    for index, reference in enumerate(identity.references):
        _, jpeg = cv2.imencode(".jpg", reference.crop, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        tensors[f"references.jpeg.{index}"] = torch.from_numpy(jpeg.reshape(-1))
    if own_network:
        tensors |= {_OWN + name: t for name, t in identity.network.state_dict().items()}
    config = {"network": asdict(identity.network.config), "own_network": own_network}
    save_model(path, ModelFile(IDENTITY_KIND, config, tensors, details))


def load_identity(profile: Profile, base: Path = BASE) -> Identity:
    """What a profile holds, ready to draw.

    Raises:
        BadInput: its file is damaged or not an identity's.
    """
    path = profile.file(FILE)
    model = load_model(path, IDENTITY_KIND)
    try:
        neutral = Neutral(
            model.tensors["neutral.points"].numpy(), model.tensors["neutral.open_eyes"].numpy()
        )
        points = model.tensors["references.points"].numpy()
        references = [
            Reference.of(_decoded(model.tensors[f"references.jpeg.{i}"]), p)
            for i, p in enumerate(points)
        ]
        vector = model.tensors["vector"].view(1, -1)
        config = NetworkConfig.from_json(model.config["network"])
        own_network = bool(model.config["own_network"])
    except (KeyError, TypeError, ValueError, cv2.error) as error:
        raise BadInput(path, f"lacks a part ({error})", "train or import it again") from error
    if not references or neutral.points.shape != (mesh.POINTS, 3):
        raise BadInput(path, "holds no face", "train or import it again")
    if own_network:
        own = {n[len(_OWN) :]: t for n, t in model.tensors.items() if n.startswith(_OWN)}
        held = ModelFile(model.kind, model.config, own)
        network = rebuild(held, path, lambda: FaceNetwork(config)).eval()
    else:
        network, _ = load_network(base)
    if vector.shape[1] != network.config.identity:
        raise BadInput(path, "does not fit this version's base", "update voicefake")
    return Identity(network, vector, neutral, references)


def _decoded(jpeg: Tensor) -> Any:
    data = jpeg.numpy()
    if data.dtype != np.uint8 or data.size > 4_000_000:
        raise ValueError("a reference is no picture")
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None or picture.shape[0] != picture.shape[1] or picture.shape[0] > 1024:
        raise ValueError("a reference is no aligned picture")
    return picture
