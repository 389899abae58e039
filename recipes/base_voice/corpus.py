"""The corpus of the base voice, prepared once: mels at three speeds, f0, teacher, sound.

    python -m recipes.base_voice.corpus --data ../shared/data --teacher encoder_model.ort --out DIR

The teacher is the English encoder of Moonshine tiny (MIT) as found in the wheel of
``moonshine-voice==0.0.49`` (``moonshine_voice/assets/tiny-en/encoder_model.ort``).
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import soxr
import torch
import typer

from voicefake.common.media import read_audio
from voicefake.features import ACTIVE_RMS, FeatureConfig, MelSpectrogram, active_rms, extract
from voicefake.training.data import Recording
from voicefake.training.speaker import mels_at_speeds

_TEACHER_RATE = 16_000
_TEACHER_HOP = 384
_TEACHER_CENTRE = 447
_TEACHER_CHUNK = 8.0
_TEACHER_MARGIN = 1.0

HELD_OUT_SPEAKERS = frozenset({"slt", "p226", "16", "1688", "1998", "1034", "1040", "1183", "1246"})


def teacher_frames(
    session: onnxruntime.InferenceSession, audio: np.ndarray, frames: int
) -> np.ndarray:
    """Teacher features (frames, 288) of 24 kHz ``audio`` at 100 frames/s, mean removed.

    Long sound goes in pieces of eight seconds with a second of context: beyond that the
    teacher's phones blur.
    """
    sound = soxr.resample(audio, 24_000, _TEACHER_RATE)
    times, rows = [], []
    hop = int(_TEACHER_CHUNK * _TEACHER_RATE)
    margin = int(_TEACHER_MARGIN * _TEACHER_RATE)
    for start in range(0, len(sound), hop):
        left = max(0, start - margin)
        piece = sound[left : start + hop + margin]
        if len(piece) < 2000:
            continue
        piece = np.pad(piece, (0, 1200))
        feed = {
            "input_values": piece[None].astype(np.float32),
            "attention_mask": np.ones((1, len(piece)), np.int64),
        }
        out = session.run(None, feed)[0][0]
        at = (np.arange(len(out)) * _TEACHER_HOP + _TEACHER_CENTRE + left) / _TEACHER_RATE
        keep = (at >= start / _TEACHER_RATE) & (at < (start + hop) / _TEACHER_RATE)
        times.append(at[keep])
        rows.append(out[keep])
    at, out = np.concatenate(times), np.concatenate(rows)
    here = np.arange(frames) / 100
    right = np.clip(np.searchsorted(at, here), 1, len(at) - 1)
    weight = np.clip((here - at[right - 1]) / (at[right] - at[right - 1]), 0, 1)[:, None]
    joined = out[right - 1] * (1 - weight) + out[right] * weight
    return (joined - joined.mean(0)).astype(np.float16)


def bandwidth_of(mel: torch.Tensor, centres: np.ndarray) -> float:
    """Frequency in Hz above which a recording is empty, from its log-mel (n_mels, T)."""
    level = mel.float().exp().mean(1).log10().numpy()
    middle = np.median(level[(centres > 1000) & (centres < 5000)])
    return float(centres[np.flatnonzero(level > middle - 1.7)[-1]])


def is_held_out(row: dict[str, str], count: int) -> bool:
    """Whole speakers, and every tenth recording of the speakers who have many."""
    many = {"kathleen", "kerstin", "s1", "ljspeech"}
    if row["speaker"] in many:
        return count % 10 == 0
    return row["speaker"] in HELD_OUT_SPEAKERS


def prepare(
    data: Annotated[Path, typer.Option(help="The folder that holds speech.csv.")],
    teacher: Annotated[Path, typer.Option(help="Moonshine's encoder_model.ort.")],
    out: Annotated[Path, typer.Option(help="Where the arrays go.")],
) -> None:
    """Read every recording of speech.csv and write joined arrays and an index."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(teacher), options)
    spectrogram = MelSpectrogram(FeatureConfig())
    centres = spectrogram.centres.numpy()
    rows = list(csv.DictReader((data / "speech.csv").open(encoding="utf-8")))
    entries: list[Recording] = []
    parts: dict[str, list[np.ndarray]] = {n: [] for n in ("mels", "pitch", "teacher", "audio")}
    frame = sample = 0
    counts: dict[str, int] = {}
    for row in rows:
        audio, _ = read_audio(data / row["path"], sample_rate=24_000)
        audio = audio - audio.mean()
        audio = (audio * (ACTIVE_RMS / max(1e-4, active_rms(audio)))).astype(np.float32)
        features = extract(audio, spectrogram)
        mels = mels_at_speeds(audio, spectrogram).numpy().astype(np.float16)
        counts[row["speaker"]] = counts.get(row["speaker"], -1) + 1
        entries.append(
            Recording(
                row["dataset"],
                row["speaker"],
                row["sex"],
                row["lang"],
                row["text"],
                row["path"],
                is_held_out(row, counts[row["speaker"]]),
                bandwidth_of(features.mel, centres),
                frame,
                features.frames,
                sample,
                len(audio),
            )
        )
        frame += features.frames
        sample += len(audio)
        parts["mels"].append(mels)
        parts["pitch"].append(torch.stack([features.f0, features.voicing]).numpy())
        parts["teacher"].append(teacher_frames(session, audio, features.frames))
        parts["audio"].append((np.clip(audio, -1, 1) * 32767).astype(np.int16))
        if len(entries) % 100 == 0:
            print(len(entries), "of", len(rows), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "mels.npy", np.concatenate(parts["mels"], 2))
    np.save(out / "pitch.npy", np.concatenate(parts["pitch"], 1))
    np.save(out / "teacher.npy", np.concatenate(parts["teacher"], 0))
    np.save(out / "audio.npy", np.concatenate(parts["audio"]))
    (out / "index.json").write_text(json.dumps([asdict(e) for e in entries]))


if __name__ == "__main__":
    typer.run(prepare)
