"""Encoder and identity-conditioned decoder, and how they lie on disk.

The encoder sees the source's face and keeps what is not in its mesh: light, gaze, teeth,
tongue. The decoder draws a person with a given mesh, following a warped picture of that
person where it helps (the gate), and says which part of the crop is face (the mask).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facesync.maps import CHANNELS, OPENINGS
from facesync.models.layers import FilmBlock, Shuffle, activate, conv, pixel_norm
from voicefake.common.modelfile import ModelFile, load_model, load_weights, save_model

BASE_KIND = "face-base"
IDENTITY_KIND = "face-identity"
GUIDES = CHANNELS + 4  # the mesh maps, and a warped reference: L, a, b and where it is known


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the face networks; another resolution is another config.

    Attributes:
        side: pixels of the crop, a multiple of 32.
        encoder: channels of the five stride-2 convolutions.
        latent: size of the code.
        seed_channels: channels the code is unfolded to at 1/16 of the side.
        decoder: channels at 1/16, 1/8, 1/4 and 1/2 of the side.
        identity: size of an identity vector.
        people: identity vectors in the table; number 0 is nobody in particular.
    """

    side: int = 128
    encoder: tuple[int, ...] = (32, 64, 128, 192, 256)
    latent: int = 192
    seed_channels: int = 64
    decoder: tuple[int, int, int, int] = (128, 112, 72, 40)
    identity: int = 64
    people: int = 1

    @staticmethod
    def from_json(values: dict[str, Any]) -> NetworkConfig:
        """The config that a model file holds."""
        lists = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        return NetworkConfig(**{**values, **lists})


class FaceEncoder(nn.Module):
    """A standardised LAB crop to a code without place: (B, 3, side, side) to (B, latent)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = (3, *config.encoder)
        self.convs = nn.ModuleList(conv(a, b, 5, 2) for a, b in pairwise(widths))
        cells = (config.side // 32) ** 2
        self.code = nn.Linear(config.encoder[-1] * cells, config.latent)

    def forward(self, x: Tensor) -> Tensor:
        """Look at the whole crop, stride 32, then one linear layer; unit mean square."""
        for layer in self.convs:
            x = activate(layer(x))
        return pixel_norm(self.code(pixel_norm(x).flatten(1)))


@dataclass(frozen=True)
class Drawn:
    """What the decoder gives: picture (B, 3, S, S) in standardised LAB, mask (B, 1, S, S)."""

    picture: Tensor
    mask: Tensor
    drawn: Tensor = field(repr=False)  # the picture before the reference is let through


class IdentityDecoder(nn.Module):
    """A code, a mesh, a reference and who, to a face."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        a, b, c, d = config.decoder
        seed, who = config.seed_channels, config.identity
        cells = (config.side // 16) ** 2
        self.unfold = nn.Linear(config.latent + OPENINGS + who, seed * cells)
        self.guide_half = conv(4 * GUIDES, d, 1)
        self.guide_quarter = conv(d, c, 3, 2)
        self.guide_eighth = conv(c, b, 3, 2)
        self.guide_sixteenth = conv(b, a, 3, 2)
        self.enter = conv(seed, a, 3)
        self.blocks = nn.ModuleList(FilmBlock(width, who) for width in (a, b, c, d))
        self.ups = nn.ModuleList([Shuffle(a, b), Shuffle(b, c), Shuffle(c, d)])
        self.leave = conv(d, 4 * 5, 3, gain=0.3)

    def forward(self, code: Tensor, openings: Tensor, guides: Tensor, who: Tensor) -> Drawn:
        """Draw.

        Args:
            code: (B, latent) of the source frame.
            openings: (B, 4) how open eyes and mouth shall be.
            guides: (B, 10, S, S): six mesh maps, a warped reference in standardised LAB, and
                its validity.
            who: (B, identity).
        """
        cells = self.config.side // 16
        x = self.unfold(torch.cat([code, openings * 4, who], 1))
        x = activate(x.view(-1, self.config.seed_channels, cells, cells))
        half = activate(self._halved(guides))
        quarter = activate(self.guide_quarter(half))
        eighth = activate(self.guide_eighth(quarter))
        sixteenth = activate(self.guide_sixteenth(eighth))
        x = self.blocks[0](self.enter(x) + sixteenth, who)
        for up, block, guide in zip(
            self.ups, list(self.blocks)[1:], (eighth, quarter, half), strict=True
        ):
            x = block(up(x) + guide, who)
        # What follows is channel by channel, and quick where channels lie one after the other.
        out = F.pixel_shuffle(self.leave(x), 2).contiguous()
        drawn, mask, gate = out[:, :3], out[:, 3:4], out[:, 4:5]
        reference, known = guides[:, CHANNELS : CHANNELS + 3], guides[:, CHANNELS + 3 :]
        open_gate = torch.sigmoid(gate) * known
        return Drawn(drawn + open_gate * (reference - drawn), torch.sigmoid(mask), drawn)

    def _halved(self, guides: Tensor) -> Tensor:
        """``guide_half`` after a pixel unshuffle by 2, as one convolution over 2x2 pixels."""
        weight = self.guide_half.weight.view(-1, GUIDES, 2, 2)
        return F.conv2d(guides, weight, self.guide_half.bias, stride=2)


class FaceNetwork(nn.Module):
    """The base: encoder, decoder and the table of identity vectors."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = FaceEncoder(config)
        self.decoder = IdentityDecoder(config)
        self.identities = nn.Embedding(config.people, config.identity)
        nn.init.normal_(self.identities.weight, std=0.5)

    def forward(self, source: Tensor, openings: Tensor, guides: Tensor, person: Tensor) -> Drawn:
        """As the decoder's, with ``source`` (B, 3, S, S) and person numbers (B,)."""
        code = self.encoder(source)
        drawn: Drawn = self.decoder(code, openings, guides, self.identities(person))
        return drawn


def save_network(path: Path, network: FaceNetwork, details: dict[str, Any]) -> None:
    """Write the base to ``path``."""
    config = asdict(network.config)
    save_model(path, ModelFile(BASE_KIND, config, dict(network.state_dict()), details))


def load_network(path: Path) -> tuple[FaceNetwork, dict[str, Any]]:
    """Read a base and its details.

    Raises:
        BadInput: not a face base, or damaged.
    """
    model = load_model(path, BASE_KIND)
    network = FaceNetwork(NetworkConfig.from_json(model.config))
    load_weights(network, model, path)
    return network.eval(), model.details
