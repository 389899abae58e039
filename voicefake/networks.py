"""The bundled networks, rebuilt from their files alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from voicefake.common.errors import BadInput
from voicefake.common.modelfile import load_model, load_weights
from voicefake.models.decoder import DecoderConfig, SpeakerDecoder
from voicefake.models.discriminator import MelDiscriminator
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.models.vocoder import Vocoder, VocoderConfig

WEIGHTS = Path(__file__).parent / "weights"
LIVE_WEIGHTS = WEIGHTS / "live"
"""Of networks that hardly look ahead."""

ENCODER, DECODER, VOCODER = "encoder.safetensors", "decoder.safetensors", "vocoder.safetensors"
USUAL, USUAL_KIND = "usual.safetensors", "voice-usual-means"
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class UsualMeans:
    """Means over recordings of speech, each over speech and over pauses.

    Attributes:
        mel: of the log-mel (2, n_mels).
        content: of the encoder's latent and, beside the full one, of the recogniser's features
            (2, content).
    """

    mel: Tensor
    content: Tensor


def load_usual(path: Path) -> UsualMeans:
    """What a stream sets out from.

    Raises:
        BadInput: the file is not what it should be.
    """
    tensors = load_model(path, USUAL_KIND).tensors
    try:
        return UsualMeans(tensors["mel"], tensors["content"])
    except KeyError as error:
        raise BadInput(path, f"lacks {error}", "install voicefake anew") from error


def load_network(path: Path, kind: str, build: Callable[[dict[str, Any]], Network]) -> Network:
    """A network in evaluation mode from a model file of ``kind``.

    Raises:
        BadInput: the file is not what it should be.
    """
    model = load_model(path, kind)
    try:
        network = build(model.config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(path, "its config builds no network", "use another file") from error
    load_weights(network, model, path)
    return network.eval().requires_grad_(False)


def load_encoder(path: Path = WEIGHTS / ENCODER) -> ContentEncoder:
    """The shared content encoder."""
    return load_network(
        path,
        "voice-encoder",
        lambda c: ContentEncoder(EncoderConfig(**c | {"dilations": tuple(c["dilations"])})),
    )


def load_decoder(path: Path = WEIGHTS / DECODER) -> SpeakerDecoder:
    """The shared decoder: reference encoder, trunk and base tail."""
    return load_network(path, "voice-decoder", lambda c: SpeakerDecoder(DecoderConfig(**c)))


def load_mel_discriminator(
    path: Path = WEIGHTS / "mel_discriminator.safetensors",
) -> MelDiscriminator:
    """The base decoder's adversary, from which every person's training goes on."""
    return load_network(path, "voice-mel-discriminator", lambda c: MelDiscriminator(**c))


def load_vocoder(path: Path = WEIGHTS / VOCODER) -> Vocoder:
    """The vocoder's generator."""
    return load_network(path, "voice-vocoder", lambda c: Vocoder(VocoderConfig(**c)))
