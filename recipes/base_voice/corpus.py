"""The corpus of the base voice, prepared once: mels and recogniser at three speeds, f0, sound.

python -m recipes.base_voice.corpus --data ../shared/data --out DIR
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from voicefake.common.media import read_audio
from voicefake.features import (
    ACTIVE_RMS,
    FeatureConfig,
    MelSpectrogram,
    active_rms,
    extract,
    pauses,
)
from voicefake.recogniser import Recogniser
from voicefake.training.data import Recording
from voicefake.training.speaker import heard_at_speeds, mels_at_speeds

HELD_OUT_SPEAKERS = frozenset({"slt", "p226", "16", "1688", "1998", "1034", "1040", "1183", "1246"})


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
    out: Annotated[Path, typer.Option(help="Where the arrays go.")],
) -> None:
    """Read every recording of speech.csv and write joined arrays and an index."""
    torch.set_num_threads(1)
    recogniser = Recogniser()
    spectrogram = MelSpectrogram(FeatureConfig())
    centres = spectrogram.centres.numpy()
    with (data / "speech.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    entries: list[Recording] = []
    parts: dict[str, list[np.ndarray]] = {n: [] for n in ("mels", "pitch", "heard", "audio")}
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
        quiet = pauses(features.mel[None])[0]
        heard = heard_at_speeds(audio, recogniser, 24_000, quiet)
        parts["heard"].append(heard.numpy().astype(np.float16))
        parts["audio"].append((np.clip(audio, -1, 1) * 32767).astype(np.int16))
        if len(entries) % 100 == 0:
            print(len(entries), "of", len(rows), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "mels.npy", np.concatenate(parts["mels"], 2))
    np.save(out / "pitch.npy", np.concatenate(parts["pitch"], 1))
    np.save(out / "heard.npy", np.concatenate(parts["heard"], 2))
    np.save(out / "audio.npy", np.concatenate(parts["audio"]))
    (out / "index.json").write_text(json.dumps([asdict(e) for e in entries]))


if __name__ == "__main__":
    typer.run(prepare)
