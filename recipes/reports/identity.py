"""Whose voice and whose face is it? By networks of the package itself, which are always there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facesync.detect import FaceFinder
from facesync.identities import load_identity
from facesync.safeguards.faceprint import faceprint
from facesync.store import identity_store
from recipes.evaluate.figures import Meaning, Summary, summarise
from voicefake.common.media import VideoReader, read_audio
from voicefake.features import ACTIVE_RMS, MelSpectrogram, active_rms
from voicefake.voices import Voice

_SECONDS, _SEGMENT = 60.0, 3.0
_EACH_SECOND, _PICTURES, _GROUP = 5, 60, 5
_MARGIN = 1 / 16
_SILENT = 1e-4
_OWN = "by the speaker encoder that the decoder was trained with: it tells when something is wrong"
VOICE = {
    "source": Meaning("source to target", None, f"cosine of their voices, {_OWN}"),
    "result": Meaning("result to target", None, "the same for the result"),
}
_PRINTS = "by the network that compares consent statements (dlib's), which no training has used"
FACE = {
    "source": Meaning("source to target", None, f"distance of their faces, {_PRINTS}"),
    "result": Meaning(
        "result to target", None, "the same for the result; below .6 it is mostly the same person"
    ),
    "nearer": Meaning(
        "nearer to target", 1.0, "share of faces nearer to it than to the source"
    ),
    "progress": Meaning(
        "identity progress", 1.0, "0: as far from the target as the source, 1: as near as one of "
        "the target's own pictures to the others",
    ),
}  # fmt: skip


@torch.inference_mode()
def voice_identity(before: Path, after: Path, voice: Voice) -> tuple[Summary, ...]:
    """How near source and result are to ``voice``; intervals are over segments of three seconds."""
    if voice.mixed:
        return ()
    spectrogram = MelSpectrogram()
    target = torch.nn.functional.normalize(voice.decoder.vector, dim=-1)
    near = []
    for path in (before, after):
        sound, rate = read_audio(path, sample_rate=spectrogram.config.sample_rate)
        sound = sound * np.float32(ACTIVE_RMS / max(_SILENT, active_rms(sound)))
        step = int(_SEGMENT * rate)
        pieces = torch.from_numpy(sound[: int(_SECONDS * rate)]).split(step)
        heard = [piece for piece in pieces if len(piece) >= rate] or [pieces[0]]
        mels = [spectrogram(piece[None]) for piece in heard]
        near.append([float(voice.decoder.decoder.reference(mel) @ target.T) for mel in mels])
    pairs = zip(*near, strict=False)
    rows = [{"clip": n, "source": a, "result": b} for n, (a, b) in enumerate(pairs)]
    return tuple(summarise(rows, VOICE))


def face_identity(before: Path, after: Path, name: str) -> tuple[Summary, ...]:
    """Whose face ``after`` shows, ``name``'s or still that of ``before``.

    Intervals are over seconds of the clip.

    Raises:
        WrongUse, BadInput: the identity is not known, or a clip has no pictures.
    """
    own = []
    for reference in load_identity(identity_store().find(name)).references:
        points = (reference.points[:, :2] + _MARGIN) / (1 + 2 * _MARGIN)
        side = reference.crop.shape[0]
        own.append(faceprint(reference.crop, (points * side).astype(np.float32)).numpy())
    source, made = _faces(before), _faces(after)
    if not len(source) or not len(made):
        return ()
    target, other = np.mean(own, axis=0), source.mean(axis=0)
    near, far = (np.linalg.norm(made - centre, axis=1) for centre in (target, other))
    starts = np.linalg.norm(source - target, axis=1)
    rest = [np.delete(own, n, axis=0).mean(axis=0) for n in range(len(own))] if own[1:] else []
    apart = [float(np.linalg.norm(a - b)) for a, b in zip(own, rest, strict=False)]
    usual = float(np.mean(apart)) if apart else np.nan
    way = float(starts.mean()) - usual
    rows = [
        {"clip": n // _GROUP, "source": float(s), "result": float(a), "nearer": float(a < b),
         "progress": (usual + way - float(a)) / way}
        for n, (s, a, b) in enumerate(zip(starts, near, far, strict=False))
    ]  # fmt: skip
    return tuple(summarise(rows, FACE))


def _faces(path: Path) -> NDArray[np.float32]:
    """Faceprints ``(N, 128)`` of the largest face of pictures, five a second, of the first ones."""
    reader, finder = VideoReader(path), FaceFinder()
    step, found = max(1, round(float(reader.info.fps) / _EACH_SECOND)), []
    for frame in reader.frames():
        if frame.index >= step * _PICTURES:
            break
        faces = finder.find(frame.image)[:1] if frame.index % step == 0 else []
        found += [faceprint(frame.image, face.points).numpy() for face in faces]
    return np.array(found, np.float32)
