"""One person's recordings as teaching material for a decoder tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from voicefake.analysis import log_f0_range, loudness_range, measure_level
from voicefake.common.errors import BadInput, VoicefakeError
from voicefake.common.media import read_audio
from voicefake.common.progress import Stage
from voicefake.features import MelSpectrogram, pauses, speech_mean, track_f0
from voicefake.models.decoder import Melody, PersonDecoder, SpeakerEncoder, loudness_of
from voicefake.networks import load_decoder, load_encoder, load_mel_discriminator
from voicefake.recogniser import Recogniser
from voicefake.retrieval import FEWEST_FRAMES, MOST_FRAMES
from voicefake.training.decoder import Batch, DecoderTask, DecoderWeights, band_mask
from voicefake.training.latents import Impersonator, latents_of, load_guises, speed_of

SPEED_HOPS = (240, 209, 276)
"""Hop lengths of sound played at 1, 240/209 and 240/276 of its speed: the frames stay aligned."""

_LONGEST_SLICE = 12.0
_SHORTEST_SLICE = 0.5
_SHORTEST_SECONDS = 10.0
_HELD_OUT_SHARE = 0.1
_HELD_OUT_SECONDS = 3.0
_GUISES = 4
"""Other people as whom each take is spoken."""


@dataclass(frozen=True)
class Take:
    """A slice of a person's recordings, T frames.

    Attributes:
        mel: (n_mels, T).
        f0, voicing: (T,).
        latents: (variants, latent, T) half: of the unchanged sound, of each speed, of the
            take in other people's voices.
        heard: by the recogniser at each speed (speeds, recogniser, T) half.
    """

    source: Path
    mel: Tensor
    f0: Tensor
    voicing: Tensor
    latents: Tensor
    heard: Tensor

    @property
    def frames(self) -> int:
        """T."""
        return self.mel.shape[-1]


@dataclass(frozen=True)
class Ears:
    """What recordings are listened to with, before a decoder is taught."""

    spectrogram: MelSpectrogram
    recogniser: Recogniser
    impersonator: Impersonator

    @staticmethod
    def load() -> Ears:
        """The bundled networks."""
        spectrogram = MelSpectrogram()
        others = Impersonator(load_encoder(), load_decoder(), Melody(spectrogram), load_guises())
        return Ears(spectrogram, Recogniser(), others)


def at_speeds(audio: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """``audio`` (n,) played at the speeds of ``SPEED_HOPS``."""
    own = SPEED_HOPS[0]
    return [audio if hop == own else soxr.resample(audio, own, hop) for hop in SPEED_HOPS]


def heard_at_speeds(
    audio: NDArray[np.float32], recogniser: Recogniser, sample_rate: int, pause: Tensor
) -> Tensor:
    """The recogniser's features (3, 288, T) of ``audio`` (n,) at each speed, centred.

    Args:
        pause: which of the frames are pauses (T,).
    """
    heard = [
        recogniser.listen_to(played, sample_rate).at(0, len(pause), hop / sample_rate)
        for hop, played in zip(SPEED_HOPS, at_speeds(audio), strict=True)
    ]
    rows = torch.cat(heard)
    return rows - speech_mean(rows, pause)


def mels_at_speeds(audio: NDArray[np.float32], spectrogram: MelSpectrogram) -> Tensor:
    """Log-mels (3, n_mels, T) of ``audio`` (n,) at each speed."""
    with torch.inference_mode():
        mels = [
            spectrogram(torch.from_numpy(played)[None], hop)[0]
            for hop, played in zip(SPEED_HOPS, at_speeds(audio), strict=True)
        ]
    frames = mels[0].shape[-1]
    padded = [
        torch.nn.functional.pad(m[None], (0, max(0, frames - m.shape[-1])), "replicate")
        for m in mels
    ]
    return torch.cat([m[..., :frames] for m in padded])


def slices_of(audio: NDArray[np.float32], rate: int) -> list[NDArray[np.float32]]:
    """``audio`` (n,) in pieces of some twelve seconds, cut where it is quietest; none is tiny."""
    longest, shortest = int(_LONGEST_SLICE * rate), int(_SHORTEST_SLICE * rate)
    pieces = []
    while len(audio) > longest + shortest:
        hop = rate // 50
        search = audio[longest // 2 : longest // hop * hop]
        power = np.square(search[: len(search) // hop * hop].reshape(-1, hop)).mean(1)
        cut = longest // 2 + int(power.argmin()) * hop + hop // 2
        pieces.append(audio[:cut])
        audio = audio[cut:]
    return [*pieces, audio]


def read_takes(
    files: Sequence[Path],
    ears: Ears,
    seed: int,
    bar: Stage,
) -> tuple[list[Take], list[str]]:
    """Takes of all files that hold sound, and a warning for each that was left out.

    Raises:
        BadInput: no file could be used, or together they are shorter than ten seconds.
    """
    rate = ears.spectrogram.config.sample_rate
    random = torch.Generator().manual_seed(seed)
    takes: list[Take] = []
    warnings: list[str] = []
    errors: list[VoicefakeError] = []
    for path in files:
        bar.advance(1, path.name)
        try:
            audio, _ = read_audio(path, sample_rate=rate)
        except VoicefakeError as error:
            errors.append(error)
            warnings.append(str(error))
            continue
        found = takes_of(path, audio, ears, random)
        if not found:
            warnings.append(f"{path}: is shorter than half a second; left out")
        takes += found
    seconds = sum(t.frames for t in takes) / ears.spectrogram.config.frame_rate
    if not takes and errors:
        raise errors[0]
    if seconds < _SHORTEST_SECONDS:
        others = "and the other files hold" if len(files) > 1 else "holds"
        raise BadInput(
            files[0], f"{others} {seconds:.1f} s of sound",
            f"give at least {_SHORTEST_SECONDS:.0f} s; some minutes are better",
        )  # fmt: skip
    return takes, warnings


def takes_of(
    path: Path, audio: NDArray[np.float32], ears: Ears, random: torch.Generator
) -> list[Take]:
    """Takes of one recording ``audio`` (n,); none where it is shorter than half a second."""
    rate = ears.spectrogram.config.sample_rate
    level = measure_level(iter([audio[None]]))
    audio = ((audio - level.offset) * level.gain).astype(np.float32)
    pieces = [p for p in slices_of(audio, rate) if len(p) >= _SHORTEST_SLICE * rate]
    return [_take(path, piece, ears, random) for piece in pieces]


def _take(
    path: Path,
    audio: NDArray[np.float32],
    ears: Ears,
    random: torch.Generator,
) -> Take:
    spectrogram, impersonator = ears.spectrogram, ears.impersonator
    mels = mels_at_speeds(audio, spectrogram)
    f0, voicing = track_f0(audio, spectrogram.config, mels.shape[-1])
    own = latents_of(impersonator.encoder, mels, spectrogram.centres, random)
    log_f0 = log_f0_range(f0, voicing)
    rate = spectrogram.config.sample_rate
    heard = heard_at_speeds(audio, ears.recogniser, rate, pauses(mels[:1])[0])
    others = impersonator.latents(mels[:1], heard[:1], f0, voicing, log_f0, _GUISES, random)
    return Take(path, mels[0], f0, voicing, torch.cat([own, others]).half(), heard.half())


def split(takes: Sequence[Take], seed: int) -> tuple[list[Take], list[Take]]:
    """Takes to train on, and takes held out: whole files where there are several.

    A tenth, and at least three seconds.
    """
    by_file: dict[Path, list[Take]] = {}
    for take in takes:
        by_file.setdefault(take.source, []).append(take)
    groups = list(by_file.values()) if len(by_file) >= 4 else [[take] for take in takes]
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    total = sum(t.frames for t in takes)
    due = max(_HELD_OUT_SHARE * total, 100 * _HELD_OUT_SECONDS)
    held_out: list[Take] = []
    train: list[Take] = []
    for index in order:
        enough = sum(t.frames for t in held_out) >= due
        (train if enough else held_out).extend(groups[index])
    if train:
        return train, held_out
    return _split_in_time(takes)


def _split_in_time(takes: Sequence[Take]) -> tuple[list[Take], list[Take]]:
    """Very little material: the last fifth of the longest take is held out."""
    longest = max(takes, key=lambda t: t.frames)
    cut = longest.frames * 4 // 5
    others = [t for t in takes if t is not longest]
    return [*others, _part(longest, 0, cut)], [_part(longest, cut, longest.frames)]


def _part(take: Take, start: int, stop: int) -> Take:
    return Take(
        take.source,
        take.mel[:, start:stop],
        take.f0[start:stop],
        take.voicing[start:stop],
        take.latents[:, :, start:stop],
        take.heard[:, :, start:stop],
    )


class PersonBatches:
    """Windows of one person's takes."""

    def __init__(
        self, takes: Sequence[Take], held_out: Sequence[Take], centres: Tensor,
        *, frames: int = 128, batch: int = 12,
    ) -> None:  # fmt: skip
        shortest = min(max(t.frames for t in takes), frames)
        self.takes = [t for t in takes if t.frames >= shortest]
        self.frames, self.batch = shortest, batch
        self.held_out = held_out
        self.mask = band_mask(centres, torch.tensor([bandwidth_of(takes, centres)]))
        self.weights = torch.tensor([float(t.frames) for t in self.takes])

    def draw(self, random: torch.Generator) -> Batch:
        """A training batch."""
        picks = torch.multinomial(self.weights, self.batch, replacement=True, generator=random)
        chosen = [self.takes[i] for i in picks.tolist()]
        variant = int(torch.randint(0, len(chosen[0].latents), (1,), generator=random))
        speed = speed_of(variant, len(chosen[0].heard), random)
        where = torch.rand(self.batch, generator=random).tolist()
        starts = [int(u * (t.frames - self.frames + 1)) for u, t in zip(where, chosen, strict=True)]
        parts = [_part(t, s, s + self.frames) for t, s in zip(chosen, starts, strict=True)]
        return self._batch(parts, variant, speed)

    def judged(self) -> list[Batch]:
        """The held-out takes, whole, from the unchanged sound."""
        return [self._batch([take], 0, 0) for take in self.held_out]

    def _batch(self, takes: Sequence[Take], variant: int, speed: int) -> Batch:
        return Batch(
            torch.stack(
                [torch.cat([t.latents[variant].float(), t.heard[speed].float()]) for t in takes]
            ),
            torch.stack([t.mel for t in takes]),
            torch.stack([t.f0 for t in takes]),
            torch.stack([t.voicing for t in takes]),
            self.mask.expand(len(takes), -1, -1),
            None,
        )


def person_task(
    person: PersonDecoder, batches: PersonBatches, spectrogram: MelSpectrogram
) -> DecoderTask:
    """Teach ``person`` by ``batches``, against the base's discriminator from the first step."""
    adversary = load_mel_discriminator().requires_grad_(True)
    return DecoderTask(
        person, adversary, Melody(spectrogram), batches.draw, batches.judged(),
        DecoderWeights(alone=0.0),
    )  # fmt: skip


def bandwidth_of(takes: Sequence[Take], centres: Tensor) -> float:
    """Frequency in Hz above which a person's recordings are empty."""
    total = sum(t.frames for t in takes)
    level = sum(t.mel.exp().sum(-1) for t in takes) / total
    assert isinstance(level, Tensor)
    log_level = level.log10()
    middle = log_level[(centres > 1000) & (centres < 5000)].median()
    filled = (log_level > middle - 1.7).nonzero()
    return float(centres[int(filled[-1])])


@torch.inference_mode()
def vector_of(reference: SpeakerEncoder, takes: Sequence[Take]) -> Tensor:
    """The speaker vector (1, speaker) of a person: the mean over their takes, of length 1."""
    vectors = [reference(t.mel[None]) * t.frames for t in takes if t.frames >= 50]
    return torch.nn.functional.normalize(torch.stack(vectors).sum(0), dim=-1)


def log_f0_of(takes: Sequence[Take]) -> tuple[float, float]:
    """Mean and spread of a person's log-f0."""
    return log_f0_range(torch.cat([t.f0 for t in takes]), torch.cat([t.voicing for t in takes]))


def content_of_takes(takes: Sequence[Take], seed: int) -> Tensor | None:
    """Content (K, latent + recogniser) of frames drawn from the takes, if they suffice."""
    content = torch.cat([torch.cat([t.latents[0], t.heard[0]]) for t in takes], 1).T
    if len(content) < FEWEST_FRAMES:
        return None
    random = torch.Generator().manual_seed(seed)
    return content[torch.randperm(len(content), generator=random)[:MOST_FRAMES]].float()


def loudness_spread_of(takes: Sequence[Take]) -> float:
    """Spread of the loudness of a person's speech."""
    return loudness_range(torch.cat([loudness_of(t.mel[None])[0, 0] for t in takes]))[1]
