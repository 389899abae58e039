"""Content latents to teach decoders with: of the sound as it is, and of changed sound.

What leaks of the speaker through a latent must not be relied on, so a decoder learns the
clean mel from latents of other sound with the same words: perturbed, or spoken by other
people through the decoder as it stands (back-translation, arXiv 1511.06709).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from voicefake.common.errors import BadInput
from voicefake.common.modelfile import load_model
from voicefake.features import moved_f0, pauses, speech_mean
from voicefake.models.decoder import Melody, SpeakerDecoder, loudness_of
from voicefake.models.encoder import ContentEncoder
from voicefake.networks import WEIGHTS
from voicefake.training.perturb import perturb

_STRENGTH = 0.7


@dataclass(frozen=True)
class Guises:
    """Others as whom a recording can be spoken.

    Attributes:
        vectors: speaker vectors (G, speaker).
        log_f0: mean and spread of each one's log-f0 (G, 2).
    """

    vectors: Tensor
    log_f0: Tensor

    def drawn(self, count: int, random: torch.Generator) -> Guises:
        """``count`` of them, each another where there are enough."""
        order = torch.randperm(len(self.vectors), generator=random)
        pick = order.repeat(-(-count // len(order)))[:count]
        return Guises(self.vectors[pick], self.log_f0[pick])


def load_guises(path: Path = WEIGHTS / "guises.safetensors") -> Guises:
    """The bundled guises: mixed voices that nobody has."""
    tensors = load_model(path, "voice-guises").tensors
    try:
        return Guises(tensors["vectors"], tensors["log_f0"])
    except KeyError as error:
        raise BadInput(path, "holds no voices", "use another file") from error


class Impersonator:
    """Lets a recording be spoken by others and tells what the encoder hears then."""

    def __init__(
        self, encoder: ContentEncoder, decoder: SpeakerDecoder, melody: Melody, guises: Guises
    ) -> None:
        self.encoder, self.decoder, self.melody, self.guises = encoder, decoder, melody, guises

    @torch.inference_mode()
    def latents(
        self,
        mel: Tensor,
        heard: Tensor,
        f0: Tensor,
        voicing: Tensor,
        log_f0: tuple[float, float],
        count: int,
        random: torch.Generator,
    ) -> Tensor:
        """Latents (count, latent, T) of one recording (1, n_mels, T) in ``count`` guises.

        Args:
            heard: by the recogniser, centred (1, recogniser, T).
            f0, voicing: (T,).
            log_f0: mean and spread of the speaker's own log-f0.
        """
        guises = self.guises.drawn(count, random)
        moved = torch.stack([moved_f0(f0, log_f0, (m, s)) for m, s in guises.log_f0.tolist()])
        pause = pauses(mel)[0]
        content = torch.cat([content_of(self.encoder, mel, pause), heard], 1)
        melody = self.melody(moved, voicing.expand(count, -1))
        loudness = loudness_of(mel).expand(count, -1, -1)
        content = content.expand(count, -1, -1)
        others = self.decoder(content, melody, loudness, guises.vectors)
        return content_of(self.encoder, others, pause)


def speed_of(variant: int, speeds: int, random: torch.Generator) -> int:
    """Speed at which the recogniser heard the sound that goes with a variant of latents.

    Variants are the sound as it is, each speed perturbed, and guises, for which the speed
    is drawn: the recogniser's features know little of the speaker, but not nothing.
    """
    if variant <= speeds:
        return max(0, variant - 1)
    return int(torch.randint(0, speeds, (1,), generator=random))


@torch.inference_mode()
def content_of(encoder: ContentEncoder, mels: Tensor, pause: Tensor) -> Tensor:
    """Latents (B, latent, T) of changed copies (B, n_mels, T) of one recording, centred.

    Args:
        pause: which frames of the recording are pauses (T,).
    """
    latents = encoder(mels, speech_mean(mels, pause))
    return latents - speech_mean(latents, pause)


def latents_of(
    encoder: ContentEncoder, mels: Tensor, centres: Tensor, random: torch.Generator
) -> Tensor:
    """Latents (1 + S, latent, T) of the sound as it is, then of each speed perturbed.

    Args:
        mels: log-mels (S, n_mels, T) of one recording at S speeds, the original first.
        centres: centre frequencies of the bands in Hz (n_mels,).
    """
    changed = perturb(mels, centres, _STRENGTH, random)
    return content_of(encoder, torch.cat([mels[:1], changed]), pauses(mels[:1])[0])
