"""What the recogniser hears beside the encoder, and other people's voices in training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.voice_samples import voiced_sound
from voicefake.common.errors import BadInput
from voicefake.models.decoder import DecoderConfig
from voicefake.recogniser import SIZE, Heard, Recogniser
from voicefake.training.decoder import Batch, unheard
from voicefake.training.latents import Guises, speed_of


def test_features_lie_on_the_frames_and_move_with_the_sound() -> None:
    sound = voiced_sound(11.0)
    recogniser = Recogniser()
    frames = len(sound) // 240 + 1
    heard = recogniser.listen_to(sound, 24_000).at(0, frames, 0.01)
    late = recogniser.listen_to(np.pad(sound, (4800, 0))[: len(sound)], 24_000)
    moved = late.at(20, frames - 20, 0.01)
    assert heard.shape == (1, SIZE, frames)
    here, there = heard[..., 300:700], moved[..., 300:700]
    elsewhere = heard[..., 350:750]
    same = torch.nn.functional.cosine_similarity(here, there, dim=1).mean()
    other = torch.nn.functional.cosine_similarity(here, elsewhere, dim=1).mean()
    assert same > other + 0.1


def test_a_sound_too_short_to_be_heard_gives_zeros() -> None:
    heard = Recogniser().listen_to(np.zeros(1000, np.float32), 24_000)
    assert not heard.at(0, 5, 0.01).any()


def test_rows_are_joined_by_lines() -> None:
    rows = np.zeros((2, SIZE), np.float16)
    rows[1] = 4
    heard = Heard(np.array([0.0, 0.04]), io.BytesIO(rows.tobytes()))
    assert torch.allclose(heard.at(0, 5, 0.01)[0, 0], torch.arange(5.0), atol=1e-5)


def test_a_stranger_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recogniser.ort"
    path.write_bytes(b"no network")
    with pytest.raises(BadInput):
        Recogniser(path)


def test_some_examples_go_without_the_recogniser() -> None:
    latent = DecoderConfig().latent
    content = torch.ones(40, latent + SIZE, 3)
    batch = Batch(content, *(torch.zeros(1),) * 4, None)
    thinned = unheard(batch, latent, 0.5, torch.Generator().manual_seed(0)).content
    assert (thinned[:, :latent] == 1).all()
    silent = (thinned[:, latent:] == 0).all(dim=(1, 2))
    assert 8 < int(silent.sum()) < 32


def test_the_speed_that_was_heard_fits_the_variant() -> None:
    random = torch.Generator().manual_seed(0)
    assert [speed_of(v, 3, random) for v in range(4)] == [0, 0, 1, 2]
    assert {speed_of(5, 3, random) for _ in range(30)} == {0, 1, 2}


def test_guises_are_all_different_where_there_are_enough() -> None:
    guises = Guises(torch.arange(6.0)[:, None], torch.arange(12.0).reshape(6, 2))
    drawn = guises.drawn(6, torch.Generator().manual_seed(0))
    assert sorted(drawn.vectors[:, 0].tolist()) == [0, 1, 2, 3, 4, 5]
    assert torch.equal(drawn.log_f0[:, 0], 2 * drawn.vectors[:, 0])
    assert len(guises.drawn(8, torch.Generator()).vectors) == 8
