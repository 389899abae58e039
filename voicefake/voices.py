"""A person's voice, ready to speak."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from voicefake.analysis import log_f0_range, loudness_range, measure_level
from voicefake.common.errors import BadInput
from voicefake.common.hashes import sha256_of
from voicefake.common.media import AudioReader
from voicefake.common.modelfile import ModelFile, load_model, save_model
from voicefake.common.profiles import Profile
from voicefake.features import Features, MelSpectrogram, extract, pauses, speech_mean
from voicefake.models.decoder import (
    MEL_SCALE,
    DecoderConfig,
    Melody,
    PersonDecoder,
    SpeakerEncoder,
    loudness_of,
)
from voicefake.networks import WEIGHTS, load_decoder, load_encoder

KIND = "voice-speaker"
SPEAKER_FILE = "decoder.safetensors"
BASE_FILE = WEIGHTS / "decoder.safetensors"
_REFERENCE_SECONDS = 60.0
_SHORTEST_SECONDS = 3
_MOST_FITTED = 1.0
"""Log amplitude."""
_VECTOR_FRAMES = 200
"""As long as the references that the encoder was taught with."""


@dataclass(frozen=True)
class Voice:
    """A decoder that speaks as one person.

    Attributes:
        decoder: shared trunk, the person's tail and vector.
        log_f0: median and spread of the person's log-f0.
        loudness_spread: of the person's speech without pauses (0: unknown).
    """

    decoder: PersonDecoder
    log_f0: tuple[float, float]
    loudness_spread: float = 0.0


def load_voice(profile: Profile) -> Voice:
    """The voice in a speaker's profile.

    Raises:
        BadInput: the file is damaged, or was trained on another base than the installed one.
    """
    path = profile.file(SPEAKER_FILE)
    model = load_model(path, KIND)
    base = load_decoder()
    if model.details.get("base") != sha256_of(BASE_FILE):
        raise BadInput(path, "was trained on another version of the base voice", "train it again")
    try:
        person = PersonDecoder(base, model.tensors["vector"])
        tail = {n[5:]: t for n, t in model.tensors.items() if n.startswith("tail.")}
        person.decoder.tail.load_state_dict(tail)
        middle, spread = (float(value) for value in model.details["log_f0"])
        loudness = float(model.details.get("loudness spread", 0.0))
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise BadInput(path, "does not hold a whole voice", "train it again") from error
    return Voice(person.eval().requires_grad_(False), (middle, spread), loudness)


def mixed_voice(parts: Sequence[tuple[Voice, float]]) -> Voice:
    """One voice between several, each with its share; shares sum to 1.

    Tails that were trained from one base can be averaged weight by weight (arXiv
    2203.05482), which keeps the result as sharp as each of them.
    """
    total: dict[str, Tensor] = {}
    for voice, share in parts:
        for name, tensor in voice.decoder.state_dict().items():
            total[name] = total.get(name, torch.zeros(())) + share * tensor
    person = copy.deepcopy(parts[0][0].decoder)
    person.load_state_dict(total)
    middle, spread = (sum(s * v.log_f0[i] for v, s in parts) for i in (0, 1))
    return Voice(person, (middle, spread), sum(s * v.loudness_spread for v, s in parts))


def voice_of_recording(path: Path) -> Voice:
    """The voice of a person of whom there is one recording: their vector, the base tail fitted.

    Raises:
        BadInput: it holds less than three seconds of speech.
    """
    spectrogram, base = MelSpectrogram(), load_decoder()
    rate = spectrogram.config.sample_rate
    reader = AudioReader(path, sample_rate=rate, mono=True)
    sound = next(reader.chunks(int(_REFERENCE_SECONDS * rate)))[0]
    level = measure_level(iter([sound[None]]))
    features = extract((sound - level.offset) * level.gain, spectrogram)
    log_f0 = log_f0_range(features.f0, features.voicing)
    if features.frames < 100 * _SHORTEST_SECONDS or log_f0[1] == 0:
        fault = f"holds less than {_SHORTEST_SECONDS} s of a voice"
        raise BadInput(path, fault, "give 10 s or more of one person speaking")
    vector = average_vector(base.reference, features.mel)
    person = PersonDecoder(base, vector).eval().requires_grad_(False)
    _fit_bands(person, features, spectrogram)
    return Voice(person, log_f0, loudness_range(loudness_of(features.mel[None])[0, 0])[1])


@torch.no_grad()
def _fit_bands(person: PersonDecoder, features: Features, spectrogram: MelSpectrogram) -> None:
    """Raise and lower the tail's bands by what the recording, decoded as itself, lacks.

    In closed form; results come nearly half as far again from source to target.
    """
    mel = features.mel[None]
    pause = pauses(mel)[0]
    latent = load_encoder()(mel, speech_mean(mel, pause))
    unheard = person.decoder.config.recogniser
    content = latent - speech_mean(latent, pause)
    content = torch.nn.functional.pad(content, (0, 0, 0, unheard))
    melody = Melody(spectrogram)(features.f0[None], features.voicing[None])
    lack = (mel - person(content, melody, loudness_of(mel)))[..., ~pause].mean((0, 2))
    bias = person.decoder.tail.leave.bias
    assert bias is not None
    bias += lack.clamp(-_MOST_FITTED, _MOST_FITTED) / MEL_SCALE


@torch.inference_mode()
def average_vector(reference: SpeakerEncoder, mel: Tensor) -> Tensor:
    """Speaker vector (1, speaker) of a log-mel (n_mels, T): the mean over windows, of length 1."""
    frames = mel.shape[-1]
    starts = range(0, max(1, frames - _VECTOR_FRAMES + 1), _VECTOR_FRAMES // 2)
    vectors = [reference(mel[None, :, s : s + _VECTOR_FRAMES]) for s in starts]
    return torch.nn.functional.normalize(torch.cat(vectors).mean(0, keepdim=True), dim=-1)


def save_voice(
    path: Path,
    config: DecoderConfig,
    tensors: dict[str, Tensor],
    log_f0: tuple[float, float],
    details: dict[str, Any],
) -> None:
    """Write tail and vector of a trained :class:`PersonDecoder` given by its ``tensors``."""
    start = "decoder.tail."
    kept = {f"tail.{n[len(start) :]}": t for n, t in tensors.items() if n.startswith(start)}
    vector = torch.nn.functional.normalize(tensors["vector"].float(), dim=-1)
    told = details | {"base": sha256_of(BASE_FILE), "log_f0": list(log_f0)}
    save_model(path, ModelFile(KIND, asdict(config), kept | {"vector": vector}, told))
