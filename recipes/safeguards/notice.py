"""``python -m recipes.safeguards.notice``: how the spoken notice was made.

espeak-ng speaks it: formants of a formula, no recording of a person. Needs ``espeak-ng``.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicefake.common.labels.spoken import NOTICE
from voicefake.common.media import AudioWriter, read_audio

TEXT = "This voice was made by a computer."
_RATE = 24_000
_PEAK = 0.5
_TONES_HZ = (660.0, 880.0)
_TONE_SECONDS, _PAUSE_SECONDS = 0.12, 0.35


def main() -> None:
    """Write the notice into the package."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", "165", "-w", spoken, TEXT], check=True)
        speech, _ = read_audio(spoken, sample_rate=_RATE)
    loud = np.flatnonzero(np.abs(speech) > 0.01)
    speech = speech[loud[0] : loud[-1] + 1]
    pause = np.zeros(round(_PAUSE_SECONDS * _RATE), np.float32)
    tones = [_tone(frequency) for frequency in _TONES_HZ]
    parts = [*tones, pause[: len(pause) // 2], speech * (_PEAK / np.abs(speech).max()), pause]
    notice = np.concatenate(parts).astype(np.float32)
    with AudioWriter(NOTICE, sample_rate=_RATE, channels=1) as writer:
        writer.write(notice[None])
    print(f"wrote {NOTICE}: {len(notice) / _RATE:.2f} s, {NOTICE.stat().st_size} bytes")


def _tone(frequency: float) -> NDArray[np.float32]:
    """A tone that fades in and out, so that it does not click."""
    time = np.arange(round(_TONE_SECONDS * _RATE)) / _RATE
    shape = np.sin(np.pi * time / _TONE_SECONDS) ** 0.5
    return np.asarray(0.4 * _PEAK * shape * np.sin(2 * np.pi * frequency * time), np.float32)


if __name__ == "__main__":
    main()
