"""What means over a recording usually are, from which a stream sets out.

    python -m recipes.base_voice.usual --corpus DIR

Without it a stream takes its first syllable for the mean of all that is to come. Two
recordings of everybody who is not held out, so that nobody counts more than others.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from voicefake.common.modelfile import ModelFile, save_model
from voicefake.features import pauses, speech_mean
from voicefake.models.encoder import ContentEncoder
from voicefake.networks import ENCODER, LIVE_WEIGHTS, USUAL, USUAL_KIND, WEIGHTS, load_encoder
from voicefake.training.data import Corpus, Recording

_OF_EACH = 2


def usual(corpus: Annotated[Path, typer.Option(help="The prepared corpus.")]) -> None:
    """Write the usual means beside the full and the live encoder."""
    torch.set_num_threads(1)
    recordings = Corpus(corpus)
    chosen = chosen_of(recordings.part(held_out=False))
    for folder, with_heard in ((WEIGHTS, True), (LIVE_WEIGHTS, False)):
        tensors = usual_means(recordings, chosen, load_encoder(folder / ENCODER), with_heard)
        details = {"recordings": len(chosen), "licence": "Apache-2.0"}
        save_model(folder / USUAL, ModelFile(USUAL_KIND, {}, tensors, details))


def chosen_of(recordings: list[Recording]) -> list[Recording]:
    """The first recordings of everybody."""
    counts: Counter[str] = Counter()
    chosen = []
    for recording in recordings:
        counts[recording.speaker] += 1
        if counts[recording.speaker] <= _OF_EACH:
            chosen.append(recording)
    return chosen


@torch.inference_mode()
def usual_means(
    corpus: Corpus, chosen: list[Recording], encoder: ContentEncoder, with_heard: bool
) -> dict[str, Tensor]:
    """Means (2, C) over speech and over pauses, of the log-mel and of the content."""
    heard = corpus.array("heard") if with_heard else None
    found: dict[str, list[list[Tensor]]] = {"mel": [[], []], "content": [[], []]}
    for recording in chosen:
        mel = torch.from_numpy(corpus.mels[:1, :, recording.span].astype(np.float32))
        pause = pauses(mel)[0]
        content = encoder(mel, speech_mean(mel, pause))
        if heard is not None:
            rows = torch.from_numpy(heard[:1, :, recording.span].astype(np.float32))
            content = torch.cat([content, rows], 1)
        for name, values in (("mel", mel), ("content", content)):
            for kind, frames in enumerate((~pause, pause)):
                if frames.any():
                    found[name][kind].append(values[0][:, frames].mean(1))
    return {
        name: torch.stack([torch.stack(means).mean(0) for means in kinds])
        for name, kinds in found.items()
    }


if __name__ == "__main__":
    typer.run(usual)
