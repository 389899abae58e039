"""The adversary: does a patch of a face look photographed or drawn?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from facesync.models.layers import activate, conv
from voicefake.common.modelfile import ModelFile, load_model, rebuild, save_model

KIND = "face-discriminator"
BUNDLED = Path(__file__).parent.parent / "weights" / "discriminator.safetensors"

EYES = (slice(28, 60), slice(22, 106))  # rows and columns of a 128-pixel crop
MOUTH = (slice(72, 112), slice(34, 94))


class PatchNetwork(nn.Module):
    """Strided convolutions with spectral norm (Isola 2017; Miyato 2018)."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        sizes = (3, *widths)
        self.convs = nn.ModuleList(
            spectral_norm(conv(a, b, 4, 2)) for a, b in zip(sizes, widths, strict=False)
        )
        self.judge = spectral_norm(conv(widths[-1], 1, 3))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features of each layer; the last one is the verdict, (B, 1, h, w)."""
        features = []
        for layer in self.convs:
            x = activate(layer(x))
            features.append(x)
        return [*features, self.judge(x)]


class FaceDiscriminator(nn.Module):
    """One patch network for the masked face, one for eyes and one for the mouth."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.width = width
        self.face = PatchNetwork((width, 2 * width, 4 * width))
        self.eyes = PatchNetwork((width, 2 * width))
        self.mouth = PatchNetwork((width, 2 * width))

    def forward(self, picture: Tensor, mask: Tensor) -> list[list[Tensor]]:
        """Features of the three networks on (B, 3, 128, 128) behind ``mask``."""
        masked = picture * mask
        return [
            self.face(masked),
            self.eyes(picture[..., EYES[0], EYES[1]]),
            self.mouth(picture[..., MOUTH[0], MOUTH[1]]),
        ]


def save_discriminator(path: Path, network: FaceDiscriminator, details: dict[str, Any]) -> None:
    """Write ``network`` to ``path``."""
    save_model(path, ModelFile(KIND, {"width": network.width}, network.state_dict(), details))


def load_discriminator(path: Path = BUNDLED) -> tuple[FaceDiscriminator, dict[str, Any]]:
    """The base's adversary, from which every person's training goes on, and its details.

    Raises:
        BadInput: not a face discriminator, or damaged.
    """
    model = load_model(path, KIND)
    return rebuild(model, path, lambda: FaceDiscriminator(**model.config)).eval(), model.details
