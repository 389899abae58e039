"""What the content latent says of phones, and what it gives away of the speaker.

Linear probes (Alain and Bengio 2016) on the frozen latent, its mean over the recording removed,
of speakers whom no training heard.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recipes.base_voice.corpus import HELD_OUT_SPEAKERS
from recipes.evaluate.figures import Figures
from voicefake.features import pauses
from voicefake.models.encoder import ContentEncoder
from voicefake.networks import load_encoder
from voicefake.training.data import Corpus, Recording
from voicefake.training.latents import content_of

Array = NDArray[np.float32]
_WINDOW = 140
_EACH = 12
_FRAMES = 20_000


def encoder_figures(folder: Path) -> list[Figures]:
    """One row per held-out recording, and one per fold of each probe.

    - ``phone_accuracy``: share of frames whose phone the encoder's own head names as the automatic
      alignment does.
    - ``teacher_cosine``: of the teacher head to the teacher's features.
    - ``phone_probe``: accuracy of a linear probe of phones, on speakers it was not fitted on.
    - ``speaker_probe``: accuracy of a linear probe of the speaker from mean and spread of the
      latent over 1.4 s, on recordings it was not fitted on; ``speaker_chance``: of guessing.
    """
    corpus = Corpus(folder)
    recordings = _strangers(corpus)
    encoder = load_encoder()
    phones, teacher = corpus.array("phones"), corpus.array("teacher")
    latents, labels, rows = [], [], []
    for recording in recordings:
        span = recording.span
        mel = torch.from_numpy(corpus.mels[0][:, span].astype(np.float32))[None]
        label = phones[span].argmax(-1)
        rows.append(_heads(encoder, mel, label, teacher[span].astype(np.float32), recording))
        latents.append(content_of(encoder, mel, pauses(mel)[0])[0].T.numpy())
        labels.append(label)
    speakers = [recording.speaker for recording in recordings]
    return [*rows, *_phone_probe(latents, labels, speakers), *_speaker_probe(latents, speakers)]


def _strangers(corpus: Corpus) -> list[Recording]:
    """At most a dozen recordings of each speaker who was held out whole."""
    found: list[Recording] = []
    for speaker in sorted(HELD_OUT_SPEAKERS):
        own = [r for r in corpus.recordings if r.speaker == speaker and r.frames >= _WINDOW]
        found += own[:: max(1, len(own) // _EACH)][:_EACH]
    return found


@torch.inference_mode()
def _heads(
    encoder: ContentEncoder, mel: torch.Tensor, label: Array, teacher: Array, recording: Recording
) -> Figures:
    latent = encoder(mel, mel.mean(-1, keepdim=True))
    guess = encoder.teacher_head(latent)[0].T
    cosine = torch.nn.functional.cosine_similarity(guess, torch.from_numpy(teacher), dim=-1)
    heard = encoder.phone_head(latent)[0].argmax(0).numpy()
    return {
        "clip": Path(recording.path).stem,
        "phone_accuracy": float(np.mean(heard == label)),
        "teacher_cosine": float(cosine.mean()),
    }


def _phone_probe(
    latents: Sequence[Array], labels: Sequence[Array], speakers: Sequence[str]
) -> list[Figures]:
    """Three folds by speaker."""
    names = sorted(set(speakers))
    rows: list[Figures] = []
    for fold in range(3):
        judged = [speaker in names[fold::3] for speaker in speakers]
        accuracy = _accuracy(
            np.concatenate([x for x, out in zip(latents, judged, strict=True) if not out]),
            np.concatenate([y for y, out in zip(labels, judged, strict=True) if not out]),
            np.concatenate([x for x, out in zip(latents, judged, strict=True) if out]),
            np.concatenate([y for y, out in zip(labels, judged, strict=True) if out]),
        )
        rows.append({"clip": f"phone fold {fold}", "phone_probe": accuracy})
    return rows


def _speaker_probe(latents: Sequence[Array], speakers: Sequence[str]) -> list[Figures]:
    """Halves of each speaker's recordings, each once judged; a single one is cut in two."""
    places, owners, halves = [], [], []
    seen: dict[str, int] = {}
    several = {name for name in speakers if speakers.count(name) > 1}
    for latent, speaker in zip(latents, speakers, strict=True):
        number = seen[speaker] = seen.get(speaker, -1) + 1
        starts = range(0, len(latent) - _WINDOW + 1, _WINDOW // 2)
        for start in starts:
            window = latent[start : start + _WINDOW]
            places.append(np.concatenate([window.mean(0), window.std(0)]))
            owners.append(speaker)
            later = start + _WINDOW // 2 > len(latent) // 2
            halves.append(number % 2 if speaker in several else int(later))
    x, y, half = np.stack(places), np.array(owners), np.array(halves)
    rows: list[Figures] = []
    for judged in (0, 1):
        fit, test = half != judged, half == judged
        accuracy = _accuracy(x[fit], y[fit], x[test], y[test])
        chance = 1 / len(set(owners))
        clip = f"speaker half {judged}"
        rows.append({"clip": clip, "speaker_probe": accuracy, "speaker_chance": chance})
    return rows


def _accuracy(x: Array, y: Array, judged_x: Array, judged_y: Array) -> float:
    """Share of right guesses of a logistic regression on standardised inputs."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    step = max(1, len(x) // _FRAMES)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=60, tol=1e-3))
    probe.fit(x[::step], y[::step])
    return float(np.mean(probe.predict(judged_x) == judged_y))


def write_encoder_figures(folder: Path, path: Path) -> None:
    """`encoder_figures` as JSON."""
    path.write_text(json.dumps(encoder_figures(folder)), "utf-8")
