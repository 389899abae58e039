"""Train the shared voice networks from the prepared corpus.

    python -m recipes.base_voice.train encoder --corpus DIR --state DIR [--minutes 40]

Each command goes on where it was stopped, and writes its weights into the package.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from recipes.base_voice.decoded import DECODED
from voicefake.common.devices import has_fast_bfloat16
from voicefake.common.fit import FitConfig, FitResult, FitState, checkpoint_part, fit
from voicefake.common.modelfile import ModelFile, save_model
from voicefake.features import MelSpectrogram
from voicefake.models.decoder import DecoderConfig, Melody, SpeakerDecoder
from voicefake.models.discriminator import MelDiscriminator, SoundDiscriminator
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.models.vocoder import Vocoder, VocoderConfig
from voicefake.networks import load_decoder, load_mel_discriminator, load_vocoder
from voicefake.recogniser import SIZE
from voicefake.training.batches import DecoderBatches
from voicefake.training.data import Corpus
from voicefake.training.decoder import DecoderTask, DecoderWeights
from voicefake.training.encoder import EncoderTask
from voicefake.training.vocoder import VocoderTask, VocoderWeights

app = typer.Typer(no_args_is_help=True)

CorpusOption = Annotated[Path, typer.Option(help="What recipes.base_voice.corpus wrote.")]
StateOption = Annotated[Path, typer.Option(help="Where checkpoints lie.")]
MinutesOption = Annotated[float, typer.Option(help="Wall-clock budget over all resumptions.")]
ThreadsOption = Annotated[int, typer.Option(help="CPU threads.")]
WEIGHTS = Path(__file__).parents[2] / "voicefake" / "weights"
PERIODS = (2, 3, 5, 7, 11)
_ON_THE_WAY = 0.75
DATA = "kathleen, kerstin, LJ Speech, GRID s1, CMU ARCTIC clb, VCTK p225, emodb, LibriSpeech"


def _tell(generator: nn.Module, state: FitState) -> None:
    print(json.dumps(state.history[-1]), flush=True)


def _details(result: FitResult, *, keep_best: bool = True) -> dict[str, Any]:
    kept = result.state.best_step if keep_best else result.state.step
    best = next(h for h in result.state.history if h["step"] == kept)
    return {"trained on": DATA, "licence": "Apache-2.0", "held out": best}


@app.callback()
def main() -> None:
    """Train the shared voice networks from the prepared corpus."""


@app.command()
def encoder(
    corpus: CorpusOption,
    state: StateOption,
    minutes: MinutesOption = 40,
    threads: ThreadsOption = 1,
) -> None:
    """The content encoder, on phones and the teacher's features."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    symbols = json.loads((corpus / "phones.json").read_text(encoding="utf-8"))
    config = EncoderConfig(phones=len(symbols))
    task = EncoderTask(ContentEncoder(config), Corpus(corpus))
    settings = FitConfig(
        steps=60_000,
        seconds=60 * minutes,
        learning_rate=1e-3,
        betas=(0.9, 0.98),
        evaluate_every=400,
        bfloat16=has_fast_bfloat16(torch.device("cpu")),
    )
    result = fit(task, settings, state, on_look=_tell)
    start = "encoder."
    tensors = {n[len(start) :]: t for n, t in result.tensors.items() if n.startswith(start)}
    details = _details(result) | {"symbols": symbols}
    model = ModelFile("voice-encoder", asdict(config), tensors, details)
    save_model(WEIGHTS / "encoder.safetensors", model)


@app.command()
def decoder(
    corpus: CorpusOption,
    state: StateOption,
    minutes: MinutesOption = 40,
    threads: ThreadsOption = 1,
    again: Annotated[bool, typer.Option(help="Go on from the bundled decoder.")] = False,
) -> None:
    """The shared decoder, on latents of the finished encoder.

    Once from nothing, and once --again when the latents hold what the first one makes of
    everybody in other people's voices.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config = DecoderConfig(recogniser=SIZE)
    generator = load_decoder() if again else SpeakerDecoder(config)
    adversary = load_mel_discriminator() if again else MelDiscriminator()
    for network in (generator, adversary):
        network.requires_grad_(True)
    batches = DecoderBatches(Corpus(corpus), MelSpectrogram().centres)
    weights = DecoderWeights(alone=0.0 if again else 0.15)
    task = DecoderTask(
        generator, adversary, Melody(MelSpectrogram()), batches.draw, batches.judged(), weights
    )
    settings = FitConfig(
        steps=60_000,
        seconds=60 * minutes,
        learning_rate=7e-4 if again else 1e-3,
        adversary_rate=6e-4,
        betas=(0.8, 0.98),
        evaluate_every=300,
        bfloat16=has_fast_bfloat16(torch.device("cpu")),
    )
    result = fit(task, settings, state, on_look=_tell)
    model = ModelFile("voice-decoder", asdict(config), result.tensors, _details(result))
    save_model(WEIGHTS / "decoder.safetensors", model)
    tensors = dict(adversary.state_dict())
    save_model(
        WEIGHTS / "mel_discriminator.safetensors",
        ModelFile("voice-mel-discriminator", {"channels": 24}, tensors, {"trained on": DATA}),
    )


@app.command()
def vocoder(
    corpus: CorpusOption,
    state: StateOption,
    minutes: MinutesOption = 30,
    threads: ThreadsOption = 1,
    after: Annotated[
        Path | None, typer.Option(help="State of the first training: go on from its networks.")
    ] = None,
    again: Annotated[bool, typer.Option(help="Go on from the bundled vocoder.")] = False,
) -> None:
    """The vocoder, on the mels of the recordings.

    Once more --after that, on what the decoder makes of them too; and --again, against an
    adversary that begins anew and hears periods beside spectra.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    config, recordings = VocoderConfig(), Corpus(corpus)
    first = after is None and not again
    # kept, so that a run that is taken up when all is done goes the same way from the same place
    before = state / "before.safetensors"
    if again and not before.exists():
        state.mkdir(parents=True, exist_ok=True)
        shutil.copy(WEIGHTS / "vocoder.safetensors", before)
    generator = load_vocoder(before).requires_grad_(True) if again else Vocoder(config)
    adversary = SoundDiscriminator(periods=PERIODS if again else ())
    if after is not None:
        generator.load_state_dict(checkpoint_part(after, "averaged"))
        adversary.load_state_dict(checkpoint_part(after, "adversary"))
    task = VocoderTask(
        generator,
        adversary,
        recordings,
        VocoderWeights() if first else VocoderWeights(alone=0.0),
        None if first else recordings.array(DECODED),
    )
    settings = FitConfig(
        steps=100_000,
        seconds=60 * minutes,
        learning_rate=8e-4 if first else 4e-4,
        adversary_rate=8e-4 if first else 6e-4,
        betas=(0.8, 0.95),
        evaluate_every=200,
        keep_last=True,
        bfloat16=has_fast_bfloat16(torch.device("cpu")),
    )
    result = fit(task, settings, state, on_look=_tell)
    tensors, details = result.tensors, _details(result, keep_best=False)
    if again:
        tensors = mixed(load_vocoder(before), tensors)
        judged = Vocoder(config)
        judged.load_state_dict(tensors)
        details["held out"] = task.held_out(judged.requires_grad_(False))
    model = ModelFile("voice-vocoder", asdict(config), tensors, details)
    save_model(WEIGHTS / "vocoder.safetensors", model)


def mixed(before: Vocoder, after: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights on the way from ``before`` to ``after`` (WiSE-FT, arXiv 2109.01903).

    What an adversary takes from copies comes back, and hardly anything of what it gives goes.
    """
    start = before.state_dict()
    return {name: torch.lerp(start[name], after[name], _ON_THE_WAY) for name in after}


if __name__ == "__main__":
    app()
