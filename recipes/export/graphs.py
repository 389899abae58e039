"""The networks as graphs with named tensors, each ready to be written as ONNX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from facesync.maps import OPENINGS
from facesync.models.network import GUIDES, FaceEncoder, IdentityDecoder
from voicefake.common.profiles import Profile
from voicefake.models.decoder import PersonDecoder
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder

FRAMES, FACES = "frames", "faces"


@dataclass(frozen=True)
class Graph:
    """One network to export.

    Attributes:
        name: of the file, without its suffix.
        does: what goes in and what comes out, in words.
        inputs: name to the shape of each, with ``FRAMES`` or ``FACES`` where any number may be.
        outputs: names.
        profile: whose likeness is in it.
    """

    name: str
    does: str
    module: nn.Module
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]
    profile: Profile | None = field(default=None)

    def example(self, frames: int, faces: int) -> dict[str, Tensor]:
        """Inputs drawn at random."""
        random = torch.Generator().manual_seed(frames)
        free: dict[int | str, int] = {FRAMES: frames, FACES: faces}
        sizes = {
            name: [free[n] if isinstance(n, str) else n for n in shape]
            for name, shape in self.inputs.items()
        }
        return {name: torch.randn(size, generator=random) for name, size in sizes.items()}


class _Calls(nn.Module):
    """A function of a network as a module of its own, as exporters want it."""

    def __init__(self, network: nn.Module, function: Callable[..., Tensor | tuple[Tensor, ...]]):
        super().__init__()
        self.network = network
        self._function = function

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self._function(*inputs)


def voice_graphs(profile: Profile) -> Iterator[Graph]:
    """Encoder, the speaker's decoder and the vocoder, and the same that hardly look ahead."""
    from voicefake.networks import ENCODER, LIVE_WEIGHTS, VOCODER, load_encoder, load_vocoder
    from voicefake.voices import live_voice, load_voice

    voice = load_voice(profile)
    yield from network_graphs("voice", load_encoder(), voice.decoder, load_vocoder(), profile)
    encoder, vocoder = load_encoder(LIVE_WEIGHTS / ENCODER), load_vocoder(LIVE_WEIGHTS / VOCODER)
    yield from network_graphs("live", encoder, live_voice(voice).decoder, vocoder, profile)


def network_graphs(
    name: str, encoder: ContentEncoder, decoder: PersonDecoder, vocoder: Vocoder, profile: Profile
) -> Iterator[Graph]:
    """The three networks of a voice, whatever they see of what is to come."""
    mels = encoder.config.n_mels
    yield Graph(
        f"{name}-encoder", "log-mel and its mean over the recording to the content latent",
        encoder, {"mel": (1, mels, FRAMES), "mean": (1, mels, 1)}, ("latent",),
    )  # fmt: skip
    config = decoder.decoder.config
    yield Graph(
        f"{name}-decoder-{profile.name}",
        "content (latent less its mean, then what a recogniser heard), melody, loudness to log-mel",
        decoder,
        {
            "content": (1, config.latent + config.recogniser, FRAMES),
            "melody": (1, config.harmonics + 2, FRAMES),
            "loudness": (1, 1, FRAMES),
        },
        ("mel",), profile,
    )  # fmt: skip
    yield Graph(
        f"{name}-vocoder",
        "log-mel, log-mel of the pulses and voicing to what shapes pulses and noise",
        _Calls(vocoder, vocoder.shaping),
        {"mel": (1, mels, FRAMES), "comb": (1, mels, FRAMES), "voicing": (1, FRAMES)},
        ("tonal", "level", "turn"),
    )  # fmt: skip


def face_graphs(profile: Profile) -> Iterator[Graph]:
    """Encoder and the identity's decoder; any number of faces at a time."""
    from facesync.identities import load_identity

    identity = load_identity(profile)
    network = identity.network
    side, who = network.config.side, identity.vector
    encoder: FaceEncoder = network.encoder
    yield Graph(
        f"face-encoder-{profile.name}", "aligned crop in standardised LAB to its code",
        encoder, {"source": (FACES, 3, side, side)}, ("code",), profile,
    )  # fmt: skip
    decoder: IdentityDecoder = network.decoder

    def draw(code: Tensor, openings: Tensor, guides: Tensor) -> tuple[Tensor, Tensor]:
        drawn = decoder(code, openings, guides, who.expand(code.shape[0], -1))
        return drawn.picture, drawn.mask

    yield Graph(
        f"face-decoder-{profile.name}",
        "code, openings of eyes and mouth, mesh maps and reference to picture and mask",
        _Calls(decoder, draw),
        {
            "code": (FACES, network.config.latent),
            "openings": (FACES, OPENINGS),
            "guides": (FACES, GUIDES, side, side),
        },
        ("picture", "mask"), profile,
    )  # fmt: skip
