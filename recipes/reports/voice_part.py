"""How a converted voice came about: what each network made of the first seconds."""

from __future__ import annotations

import glob
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipes.evaluate.images import heat_map
from recipes.evaluate.plot import Line, line_chart
from recipes.reports.html import beside, figure, picture, section
from voicefake.analysis import log_f0_range, measure_level
from voicefake.common.errors import BadInput
from voicefake.common.media import read_audio
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.engine import Networks, spoken
from voicefake.features import extract, moved_f0
from voicefake.models.decoder import loudness_of
from voicefake.networks import load_decoder, load_mel_discriminator
from voicefake.options import ConvertOptions
from voicefake.speakers import speaker_store
from voicefake.targets import find_target
from voicefake.voices import Voice

_SECONDS = 8.0
_FRAME = 0.01


@dataclass(frozen=True)
class Inside:
    """What happened within.

    Attributes:
        latent: (latent, T), its mean removed.
        mels: log-mel (n_mels, T) by what it is of.
        verdicts: the discriminator's (T,) of each: 1 is a recording, 0 is made.
    """

    latent: NDArray[np.float32]
    mels: dict[str, NDArray[np.float32]]
    verdicts: dict[str, NDArray[np.float32]]


def voice_part(before: Path, speaker: str, after: Path) -> str:
    """The panel for a conversion of ``before`` into ``speaker``; ``after`` is the result."""
    seen = inside(before, speaker, voice_of(speaker, after))
    span = (float(np.quantile(seen.mels["source"], 0.02)), float(seen.mels["source"].max()))
    mels = [picture(heat_map(mel, span=span), name) for name, mel in seen.mels.items()]
    lines = [
        Line(name, np.arange(len(verdict)) * np.float64(_FRAME), verdict.astype(np.float64))
        for name, verdict in seen.verdicts.items()
    ]
    chart = line_chart(lines, "discriminator's verdict", "seconds", width=960, height=240)
    return section(
        "How the voice came about",
        picture(
            heat_map(seen.latent),
            f"the latent: {len(seen.latent)} numbers each 10 ms, what is said without who says it",
        ),
        beside(*mels),
        figure(
            chart,
            "per frame: about 1 where the discriminator takes the spectrogram for a recording, "
            "about 0 where it takes it for a decoder's",
        ),
        note=f"The first {_SECONDS:.0f} seconds, with no control turned; log-mel spectrograms, "
        "low tones below.",
    )


def voice_of(speaker: str, after: Path) -> Voice:
    """The voice that the run of ``after`` trained and laid beside it, or the one known by name.

    Raises:
        WrongUse: there is neither.
        Refused: the person's consent does not hold any more.
    """
    with tempfile.TemporaryDirectory(prefix="voicefake-") as folder:
        store = ProfileStore(Kind.SPEAKER, user=Path(folder))
        for packed in sorted(after.parent.glob(f"{glob.escape(after.name)}.*.voicefake")):
            with suppress(BadInput):  # a face, or damaged
                if store.import_file(packed).name == speaker:
                    return find_target(speaker, store).voice()
    return find_target(speaker, speaker_store()).voice()


@torch.inference_mode()
def inside(before: Path, speaker: str, voice: Voice) -> Inside:
    """Encode the first seconds of ``before`` and decode them as their own and by ``voice``."""
    networks = Networks.load(torch.device("cpu"))
    sound, rate = read_audio(before, sample_rate=networks.spectrogram.config.sample_rate)
    sound = sound[: int(_SECONDS * rate)]
    level = measure_level(iter([sound[None]]))
    features = extract((sound - level.offset) * np.float32(level.gain), networks.spectrogram)
    mel, f0, voicing = features.mel[None], features.f0[None], features.voicing[None]
    latent = networks.encoder(mel, mel.mean(-1, keepdim=True))
    latent = latent - latent.mean(-1, keepdim=True)
    heard = networks.recogniser.listen_to(sound, rate).at(0, mel.shape[-1], _FRAME)
    content = torch.cat([latent, heard], 1)
    base = load_decoder()
    melody = networks.melody(f0, voicing)
    own = base(content, melody, loudness_of(mel), base.reference(mel))
    moved = moved_f0(f0, log_f0_range(features.f0, features.voicing), voice.log_f0)
    theirs = spoken(networks, voice, ConvertOptions(), mel, content, moved, voicing)
    mels = {"source": mel, "base decoder, as the source": own, f"decoded as {speaker}": theirs}
    verdicts = {name: _verdict(m) for name, m in mels.items()}
    return Inside(latent[0].numpy(), {n: m[0].numpy() for n, m in mels.items()}, verdicts)


def _verdict(mel: Tensor) -> NDArray[np.float32]:
    """Mean over the bands, smoothed over 80 ms, one value a frame."""
    discriminator = load_mel_discriminator()
    mask = mel.new_ones(1, mel.shape[1], 1)
    rows = discriminator(mel, mask)[-1].mean(dim=(1, 2))
    frames = torch.nn.functional.interpolate(rows[:, None], size=mel.shape[-1], mode="linear")
    smooth = torch.nn.functional.avg_pool1d(frames, 9, 1, 4, count_include_pad=False)
    return np.asarray(smooth[0, 0], np.float32)
