"""The base's training on a corpus of made people: prepared, decoded, and what batches hold."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.base_voice.corpus import prepare
from recipes.base_voice.decoded import DECODED, decoded, write_decoded
from recipes.base_voice.latents import write_latents
from recipes.base_voice.live import EncoderCopy, LiveBatches
from recipes.base_voice.train import mixed
from tests.voice_samples import write_sound
from voicefake.common.errors import BadInput
from voicefake.common.fit import FitConfig, checkpoint_part, fit
from voicefake.features import PAUSE_SHARE, MelSpectrogram
from voicefake.models.discriminator import SoundDiscriminator
from voicefake.models.encoder import ContentEncoder
from voicefake.models.vocoder import Vocoder, VocoderConfig
from voicefake.networks import (
    DECODER,
    ENCODER,
    LIVE_WEIGHTS,
    USUAL,
    WEIGHTS,
    load_decoder,
    load_encoder,
    load_usual,
)
from voicefake.training.batches import DecoderBatches
from voicefake.training.data import Corpus
from voicefake.training.speaker import SPEED_HOPS
from voicefake.training.vocoder import VocoderTask, VocoderWeights

_COLUMNS = ("dataset", "speaker", "sex", "lang", "text", "path")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two recordings to train on and one of somebody held out."""
    folder = tmp_path_factory.mktemp("base")
    with (folder / "speech.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, _COLUMNS)
        rows.writeheader()
        for number, speaker in enumerate(("ada", "ada", "slt")):
            path = write_sound(folder / f"{number}.wav", 2.2)
            rows.writerow(
                dict(zip(_COLUMNS, ("made", speaker, "F", "en", "", path.name), strict=True))
            )
    prepare(folder, folder / "corpus")
    found = Corpus(folder / "corpus")
    write_latents(found, load_encoder(), "latents")
    decoded(folder / "corpus")
    return found


def test_held_out_speakers_are_not_trained_on(corpus: Corpus) -> None:
    assert [r.speaker for r in corpus.part(held_out=False)] == ["ada", "ada"]
    assert [r.speaker for r in corpus.part(held_out=True)] == ["slt"]


def test_people_are_also_heard_as_if_they_were_smaller_or_larger(corpus: Corpus) -> None:
    batches = DecoderBatches(corpus, MelSpectrogram().centres)
    highest = float(corpus.pitch[0].max())
    tops = {round(float(batches.draw(torch.Generator().manual_seed(s)).f0.max())) for s in range(9)}
    wanted = {round(highest * SPEED_HOPS[0] / hop) for hop in SPEED_HOPS}
    assert len(tops) >= 3
    assert max(tops) <= max(wanted) + 1
    assert max(tops) > highest + 5


def test_the_vocoder_learns_from_decoded_mels_and_goes_on_where_it_was(
    corpus: Corpus, tmp_path: Path
) -> None:
    config = VocoderConfig(channels=16, hidden=16, blocks=1)
    weights, made = VocoderWeights(alone=0.0), corpus.array(DECODED)
    assert made.shape == (2, *corpus.mels.shape[1:])
    adversary = SoundDiscriminator(periods=(2, 3))
    task = VocoderTask(Vocoder(config), adversary, corpus, weights, made)
    result = fit(task, FitConfig(steps=2, evaluate_every=2), tmp_path / "first")
    figures = result.state.history[-1]
    assert figures["spectral of decoded"] > 0
    assert figures["spectral of decoded"] != figures["spectral"]
    again = Vocoder(config)
    again.load_state_dict(checkpoint_part(tmp_path / "first", "averaged"))
    task = VocoderTask(again, adversary, corpus, weights, made)
    judged = task.held_out(again.requires_grad_(False))
    assert judged["spectral"] == pytest.approx(figures["spectral"], rel=1e-4)


def test_the_live_vocoder_has_the_live_decoders_mels_to_learn_from(corpus: Corpus) -> None:
    write_decoded(corpus, load_decoder(LIVE_WEIGHTS / DECODER), "decoded-live", "latents", (0,))
    made, full = corpus.array("decoded-live"), corpus.array(DECODED)
    assert made.shape == (1, *full.shape[1:])
    far = np.abs(made[0].astype(np.float32) - full[0]).mean()
    assert 0.01 < far < 1.5  # the same words, heard by another


def test_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no training"):
        checkpoint_part(tmp_path, "adversary")


def test_a_live_encoder_is_taught_to_hear_as_the_full_one_does(
    corpus: Corpus, tmp_path: Path
) -> None:
    full = load_encoder()
    usual = load_usual(WEIGHTS / USUAL)
    same = EncoderCopy(full, full, usual, corpus).held_out(full)
    assert same["distance"] < 1e-5
    assert same["cold"] > 0.01  # level and mean of the whole are not known at first
    causal = ContentEncoder(replace(full.config, look_ahead=1))
    causal.load_state_dict(full.state_dict())
    task = EncoderCopy(causal, full, usual, corpus)
    with torch.no_grad():
        before = task.held_out(causal)
    result = fit(task, FitConfig(steps=12, warmup_steps=1, evaluate_every=12), tmp_path)
    assert result.state.best < 0.9 * before["distance"]


def test_every_other_example_of_a_live_decoder_is_the_beginning_of_a_stream(
    corpus: Corpus,
) -> None:
    encoder = load_encoder(LIVE_WEIGHTS / ENCODER)
    usual = load_usual(LIVE_WEIGHTS / USUAL)
    write_latents(corpus, encoder, "latents-live")
    centres, latent = MelSpectrogram().centres, encoder.config.latent
    live = LiveBatches(corpus, centres, encoder, usual)
    whole, begun = (
        batches.draw(torch.Generator().manual_seed(3)).content
        for batches in (DecoderBatches(corpus, centres, "latents-live"), live)
    )
    assert not begun[:, latent:].any()
    gap = (begun - whole)[:, :latent]
    assert not gap[1::2].any()
    # first the whole recording's mean less the usual one, and less of it with each frame
    speech, pause = usual.content[:, :latent]
    first = [mean[:, 0] - speech.lerp(pause, PAUSE_SHARE) for mean in live.means.values()]
    for cold in gap[::2]:
        off = min(float((cold[:, 0] - mean).norm() / mean.norm()) for mean in first)
        assert off < 0.1
        assert cold[:, -1].norm() < cold[:, 0].norm()


def test_a_vocoder_that_was_taught_again_lies_on_the_way():
    torch.manual_seed(0)
    before, after = (Vocoder(VocoderConfig(channels=8, hidden=8, blocks=1)) for _ in range(2))
    weights = mixed(before, after.state_dict())
    start, end = before.enter.weight, after.enter.weight
    assert torch.allclose(weights["enter.weight"], start + 0.75 * (end - start))
    assert weights.keys() == after.state_dict().keys()
