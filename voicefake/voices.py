"""A person's voice, ready to speak."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from voicefake.common.errors import BadInput
from voicefake.common.hashes import sha256_of
from voicefake.common.modelfile import ModelFile, load_model, save_model
from voicefake.common.profiles import Profile
from voicefake.models.decoder import DecoderConfig, PersonDecoder
from voicefake.networks import DECODER, LIVE_WEIGHTS, WEIGHTS, load_decoder

KIND = "voice-speaker"
SPEAKER_FILE = "decoder.safetensors"
BASE_FILE = WEIGHTS / DECODER

_CONTENT, _CONTENT_SCALE = "content", "content_scale"


@dataclass(frozen=True)
class Voice:
    """A decoder that speaks as one person.

    Attributes:
        decoder: shared trunk, the person's tail and vector.
        log_f0: mean and spread of the person's log-f0.
        loudness_spread: of the person's speech without pauses (0: unknown).
        mixed: from several people, so that its vector is no voice's that was ever heard.
        content: frames of the person's own recordings to retrieve from (K, content) half,
            or ``None``.
    """

    decoder: PersonDecoder
    log_f0: tuple[float, float]
    loudness_spread: float = 0.0
    mixed: bool = False
    content: Tensor | None = None


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
        content = _content_of(model, base.config.latent + base.config.recogniser)
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise BadInput(path, "does not hold a whole voice", "train it again") from error
    mixed = "mixed from" in model.details
    person.eval().requires_grad_(False)
    return Voice(person, (middle, spread), loudness, mixed, content)


def _content_of(model: ModelFile, size: int) -> Tensor | None:
    if _CONTENT not in model.tensors:
        return None
    content = model.tensors[_CONTENT] * model.tensors[_CONTENT_SCALE].half()
    if content.ndim != 2 or content.shape[1] != size or not len(content):
        raise ValueError(f"content of shape {tuple(content.shape)}")
    return content


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
    loudness = sum(s * v.loudness_spread for v, s in parts)
    return Voice(person, (middle, spread), loudness, mixed=True)


def live_voice(voice: Voice) -> Voice:
    """The voice by the decoder that does not look ahead.

    What training added to the base's tail is added to the live one's (arXiv 2212.04089); to
    the ear and an x-vector that is nearer to the person than either tail alone.
    """
    person = PersonDecoder(load_decoder(LIVE_WEIGHTS / DECODER), voice.decoder.vector)
    base, own = load_decoder().tail.state_dict(), voice.decoder.decoder.tail.state_dict()
    tail = person.decoder.tail
    tail.load_state_dict({n: t + own[n] - base[n] for n, t in tail.state_dict().items()})
    # the live encoder's latents are others, and there is no recogniser beside them
    return replace(voice, decoder=person.eval().requires_grad_(False), content=None)


def save_voice(
    path: Path,
    config: DecoderConfig,
    tensors: dict[str, Tensor],
    log_f0: tuple[float, float],
    details: dict[str, Any],
    content: Tensor | None = None,
) -> None:
    """Write tail and vector of a trained :class:`PersonDecoder` given by its ``tensors``.

    Args:
        content: of the person's own recordings (K, content), kept in eight bits.
    """
    start = "decoder.tail."
    kept = {f"tail.{n[len(start) :]}": t for n, t in tensors.items() if n.startswith(start)}
    vector = torch.nn.functional.normalize(tensors["vector"].float(), dim=-1)
    if content is not None:
        scale = content.abs().amax(0).clamp_min(1e-6) / 127
        kept |= {_CONTENT: (content / scale).round().to(torch.int8), _CONTENT_SCALE: scale}
    told = details | {"base": sha256_of(BASE_FILE), "log_f0": list(log_f0)}
    save_model(path, ModelFile(KIND, asdict(config), kept | {"vector": vector}, told))
