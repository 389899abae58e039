from __future__ import annotations

from pathlib import Path

import pytest
import torch

from voicefake.common.errors import BadInput
from voicefake.common.modelfile import load_model
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.networks import load_decoder
from voicefake.retrieval import MatchingSet, matched
from voicefake.speakers import speaker_store
from voicefake.voices import KIND, SPEAKER_FILE, live_voice, load_voice, save_voice


@pytest.fixture(scope="module")
def encoder() -> ContentEncoder:
    """Its phone is the largest of the three values of a latent."""
    small = ContentEncoder(
        EncoderConfig(channels=8, latent=3, phones=3, teacher=2, dilations=(1,))
    ).requires_grad_(False)
    small.phone_head.weight.copy_(20 * torch.eye(3)[..., None])
    small.phone_head.bias.zero_()
    return small


def _content(phone: int, timbre: float, frames: int = 300) -> torch.Tensor:
    """Frames (frames, 5) of one phone with the same mark of a speaker in all of them."""
    content = 0.01 * torch.randn(frames, 5)
    content[:, phone] += 1
    content[:, 3] += timbre
    return content


def test_the_speaker_is_replaced_where_the_phone_is_known(encoder: ContentEncoder) -> None:
    own = MatchingSet.of(torch.cat([_content(0, 1.0), _content(1, 1.0)]), encoder)
    said = _content(1, -1.0)
    half = matched(said.T[None], own, encoder, 0.5)[0].T
    assert float(half[:, 3].mean()) == pytest.approx(0.0, abs=0.05)
    assert torch.equal(half[:, :3].argmax(1), said[:, :3].argmax(1))
    assert torch.allclose(matched(said.T[None], own, encoder, 0.0)[0].T, said)


def test_a_phone_that_the_person_never_said_is_left_alone(encoder: ContentEncoder) -> None:
    own = MatchingSet.of(_content(0, 1.0), encoder)
    said = _content(2, -1.0)
    assert torch.allclose(matched(said.T[None], own, encoder, 1.0)[0].T, said, atol=0.01)


def test_the_result_does_not_depend_on_where_the_sound_is_cut(encoder: ContentEncoder) -> None:
    own = MatchingSet.of(_content(0, 1.0, frames=5), encoder)
    said = _content(0, -1.0, frames=700).T[None]
    whole, part = matched(said, own, encoder, 0.5), matched(said[..., 130:], own, encoder, 0.5)
    assert torch.allclose(whole[..., 130:], part, atol=1e-5)


def test_a_saved_voice_keeps_its_frames_and_the_live_one_goes_without(tmp_path: Path) -> None:
    decoder = load_decoder()
    voice = load_voice(speaker_store().find("nobody-m"))
    assert voice.content is None
    content = torch.randn(40, 384)
    path = tmp_path / "decoder.safetensors"
    save_voice(path, decoder.config, dict(voice.decoder.state_dict()), (5.0, 0.2), {}, content)
    kept = load_model(path, KIND).tensors
    assert kept["content"].dtype == torch.int8
    assert torch.allclose(kept["content"] * kept["content_scale"], content, atol=0.03)

    kathleen = load_voice(speaker_store().find("kathleen"))
    assert kathleen.content is not None
    assert kathleen.content.shape == (12_000, 384)
    assert live_voice(kathleen).content is None


@pytest.mark.parametrize("shape", [(40, 12), (384,)])
def test_frames_of_another_shape_are_told(tmp_path: Path, shape: tuple[int, ...]) -> None:
    profile = speaker_store().find("nobody-m")
    voice, path = load_voice(profile), tmp_path / SPEAKER_FILE
    tensors = dict(voice.decoder.state_dict())
    content = torch.randn(shape)
    save_voice(path, load_decoder().config, tensors, (5.0, 0.2), {}, content)
    store = ProfileStore(Kind.SPEAKER, user=tmp_path / "speakers")
    store.create("odd", {SPEAKER_FILE: path}, profile.permission, {})
    with pytest.raises(BadInput, match="does not hold a whole voice"):
        load_voice(store.find("odd"))
