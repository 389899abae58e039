"""Batches for the shared decoder from the prepared corpus."""

from __future__ import annotations

import torch
from torch import Tensor

from voicefake.training.data import (
    Corpus,
    Recording,
    Windows,
    balanced_weights,
    draw_windows,
)
from voicefake.training.decoder import Batch, band_mask
from voicefake.training.latents import speed_of
from voicefake.training.speaker import SPEED_HOPS


class DecoderBatches:
    """Windows of everybody's speech, each with a reference of the same speaker.

    Two thirds of the batches are of everybody played faster or slower, who are other people:
    the more of them there are, the better strangers are met (Yamamoto et al., Interspeech
    2019).

    Args:
        latents: which of the corpus's arrays holds them.
    """

    frames = 128
    batch = 16
    reference_frames = 200

    def __init__(self, corpus: Corpus, centres: Tensor, latents: str = "latents") -> None:
        self.corpus, self.centres = corpus, centres
        self.latents, self.heard = corpus.array(latents), corpus.array("heard")
        self.train = corpus.part(held_out=False)
        self.weights = balanced_weights(self.train, self.frames)
        self.by_speaker: dict[str, list[Recording]] = {}
        for recording in corpus.recordings:
            self.by_speaker.setdefault(recording.speaker, []).append(recording)

    def draw(self, random: torch.Generator) -> Batch:
        """A training batch."""
        windows = draw_windows(self.train, self.weights, self.batch, self.frames, random)
        variant = int(torch.randint(0, len(self.latents), (1,), generator=random))
        speed = speed_of(variant, len(self.heard), random)
        played = int(torch.randint(0, len(SPEED_HOPS), (1,), generator=random))
        references = [self._reference(r, random, played) for r in windows.recordings]
        return self._batch(windows, variant, speed, torch.stack(references), played)

    def judged(self) -> list[Batch]:
        """One window of every third held-out recording, clean latents, fixed references."""
        random = torch.Generator().manual_seed(1)
        batches = []
        chosen = [r for r in self.corpus.part(held_out=True) if r.frames >= self.frames][::3]
        for first in range(0, len(chosen), self.batch):
            some = chosen[first : first + self.batch]
            windows = Windows(some, [(r.frames - self.frames) // 2 for r in some], self.frames)
            references = torch.stack([self._reference(r, random) for r in some])
            batches.append(self._batch(windows, 0, 0, references))
        return batches

    def _batch(
        self, windows: Windows, variant: int, speed: int, references: Tensor, played: int = 0
    ) -> Batch:
        """What is said by ``variant`` and ``speed``, to be spoken as it sounds at ``played``."""
        pitch = windows.cut(self.corpus.pitch)
        higher = SPEED_HOPS[0] / SPEED_HOPS[played]
        bandwidth = torch.tensor([r.bandwidth * higher for r in windows.recordings])
        return Batch(
            torch.cat([windows.cut(self.latents[variant]), windows.cut(self.heard[speed])], 1),
            windows.cut(self.corpus.mels[played]),
            pitch[:, 0] * higher,
            pitch[:, 1],
            band_mask(self.centres, bandwidth),
            references,
        )

    def _reference(self, recording: Recording, random: torch.Generator, played: int = 0) -> Tensor:
        """Mel (n_mels, reference_frames) of another recording of the speaker, if there is one."""
        others = [r for r in self.by_speaker[recording.speaker] if r.path != recording.path]
        others = [r for r in others if r.held_out is recording.held_out] or [recording]
        other = others[int(torch.randint(0, len(others), (1,), generator=random))]
        n = min(other.frames, self.reference_frames)
        start = int(torch.randint(0, other.frames - n + 1, (1,), generator=random))
        windows = Windows([other], [start], n)
        mel = windows.cut(self.corpus.mels[played])[0]
        repeats = -(-self.reference_frames // n)
        return mel.repeat(1, repeats)[:, : self.reference_frames]
