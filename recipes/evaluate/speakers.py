"""Whose voice is it? Two speaker embeddings that know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recipes.evaluate.media import Samples

RATE = 16_000
_LEVEL = 10 ** (-30 / 20)
"""Root mean square of speech to be embedded, the one that resemblyzer was trained at."""
Embedding = NDArray[np.float32]


class SpeakerEmbedding(Protocol):
    """A network that maps a voice to a unit vector: near vectors, same voice."""

    name: str

    def embed(self, speech: Samples) -> Embedding:
        """Unit vector ``(D,)`` of speech ``(n,)`` at 16 kHz, silence trimmed beforehand."""
        ...


class Resemblyzer:
    """GE2E LSTM, 256-d (Wan et al. 2018, arXiv 1710.10467), weights of the resemblyzer wheel."""

    name = "resemblyzer"

    def __init__(self) -> None:
        from resemblyzer import VoiceEncoder

        self._network: Any = VoiceEncoder("cpu", verbose=False)

    def embed(self, speech: Samples) -> Embedding:
        """Mean over windows of 1.6 s, as the package does it."""
        return _unit(np.asarray(self._network.embed_utterance(speech), np.float32))


class XVector:
    """SincNet x-vector, 512-d, trained on VoxCeleb (pyannote.audio's ``pyannote/embedding``, MIT).

    The moonshine-voice 0.0.49 wheel carries it as a data symbol of its library, for telling
    speakers apart. It shares nothing with that wheel's recogniser but the wheel.
    """

    name = "x-vector"

    def __init__(self) -> None:
        import ctypes

        import onnxruntime
        from moonshine_voice.moonshine_api import _MoonshineLib

        library = _MoonshineLib().lib
        size = ctypes.c_size_t.in_dll(library, "speaker_embedding_model_ort_byte_count").value
        data = (ctypes.c_ubyte * size).in_dll(library, "speaker_embedding_model_ort_bytes")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(bytes(data), options)

    def embed(self, speech: Samples) -> Embedding:
        """One vector of the whole utterance; the network normalises the level itself."""
        (embedding,) = self._session.run(None, {"waveform": speech[None]})
        return _unit(np.asarray(embedding[0], np.float32))


@dataclass(frozen=True)
class Voice:
    """A known speaker: the unit mean of their clips' embeddings, and how near their own clips are.

    Attributes:
        centre: ``(D,)`` unit vector.
        own: mean nearness of each clip to the centre of the *other* clips (nan with one clip).
    """

    centre: Embedding
    own: float

    @classmethod
    def of(cls, clips: Sequence[Embedding]) -> Voice:
        """The voice of one or more clips' embeddings."""
        total = np.sum(clips, axis=0)
        own = [nearness(clip, _unit(total - clip)) for clip in clips] if len(clips) > 1 else []
        return cls(_unit(total), float(np.mean(own)) if own else float("nan"))


def nearness(a: Embedding, b: Embedding) -> float:
    """Cosine of two unit vectors."""
    return float(a @ b)


def progress(source: float, converted: float, own: float) -> float:
    """How far the voice went from source (0) to target (1), by nearness to the target."""
    return (converted - source) / (own - source) if abs(own - source) > 1e-6 else float("nan")


def speech_of(samples: Samples) -> Samples:
    """Speech at 16 kHz at a common level with long silences cut (webrtcvad, as resemblyzer does).

    resemblyzer hears powers and itself only raises what is soft: how loud somebody was recorded
    would count as their voice (.2 of progress from a loud source to a soft target).
    Without resemblyzer, pauses are what is 40 dB below the loudest tenth of a second. A clip in
    which nothing is found is returned whole.
    """
    try:
        from resemblyzer import preprocess_wav
    except ImportError:
        speech = _without_pauses(samples)
    else:
        speech = np.asarray(preprocess_wav(samples, RATE), np.float32)
    speech = speech if len(speech) > RATE // 2 else samples
    rms = float(np.sqrt(np.square(speech, dtype=np.float64).mean()))
    return np.asarray(speech * (_LEVEL / max(rms, 1e-6)), np.float32)


def _without_pauses(samples: Samples) -> Samples:
    frames = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
    power = np.square(frames).mean(axis=1)
    return frames[power > power.max(initial=0) * 1e-4].ravel()


def _unit(vector: Embedding) -> Embedding:
    return np.asarray(vector / max(1e-9, float(np.linalg.norm(vector))), np.float32)
