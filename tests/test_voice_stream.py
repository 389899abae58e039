from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from recipes.sample import CLIP
from tests.voice_samples import voiced_sound
from voicefake.common.media import read_audio
from voicefake.engine import Networks
from voicefake.features import (
    ACTIVE_RMS,
    FeatureConfig,
    MelSpectrogram,
    pauses,
    speech_mean,
    track_f0,
)
from voicefake.models.decoder import DecoderConfig, Melody, PersonDecoder, SpeakerDecoder
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.models.vocoder import Vocoder, VocoderConfig
from voicefake.options import ConvertOptions
from voicefake.recogniser import Recogniser
from voicefake.running import HeardFrames, Levels, MelodyMean, PitchFrames, RunningMean
from voicefake.speakers import speaker_store
from voicefake.stream import Blocks, Overlapped, VoiceStream
from voicefake.voices import Voice, load_voice


def _small(look_ahead: int | None, onset: int | None = None) -> tuple[Networks, Voice]:
    """Random networks, shallow enough to be quick."""
    torch.manual_seed(0)
    encoder = ContentEncoder(
        EncoderConfig(
            channels=16, latent=4, phones=3, teacher=5, dilations=(1, 2), look_ahead=look_ahead
        )
    )
    decoder = SpeakerDecoder(
        DecoderConfig(
            channels=16, hidden=16, latent=4, trunk_blocks=1, tail_blocks=1, look_ahead=look_ahead
        )
    )
    vocoder = Vocoder(
        VocoderConfig(channels=16, hidden=16, blocks=1, look_ahead=look_ahead, onset=onset)
    )
    torch.nn.init.normal_(vocoder.mix.weight, std=0.1)
    for network in (encoder, decoder, vocoder):
        network.eval().requires_grad_(False)
    spectrogram = MelSpectrogram()
    person = PersonDecoder(decoder, torch.randn(1, decoder.config.speaker))
    networks = Networks(
        spectrogram, encoder, None, Melody(spectrogram), vocoder, torch.device("cpu")
    )
    return networks, Voice(person.eval().requires_grad_(False), (4.8, 0.2))


def _streamed(stream: VoiceStream, sound: NDArray[np.float32], sizes: list[int]) -> NDArray:
    pieces, start, number = [], 0, 0
    while start < len(sound):
        size = sizes[number % len(sizes)]
        pieces.append(stream.push(sound[start : start + size]))
        start, number = start + size, number + 1
    return np.concatenate([*pieces, stream.finish()])


@pytest.mark.parametrize(
    ("look_ahead", "onset", "rounds"),
    [(None, None, 1), (0, None, 0), (2, None, 1), (0, 100, 0), (2, 300, 1)],
)
def test_chunks_give_what_the_whole_gives(
    look_ahead: int | None, onset: int | None, rounds: int
) -> None:
    samples = 24_007
    networks, voice = _small(look_ahead, onset)
    sound, options = voiced_sound(1.2)[:samples], ConvertOptions(rounds=rounds)
    whole = _streamed(VoiceStream(networks, voice, options), sound, [samples])
    cut = _streamed(VoiceStream(networks, voice, options), sound, [997, 4800, 240, 1, 9000])
    assert len(whole) == len(cut) == samples
    assert np.abs(whole).max() > 1e-3
    difference = np.abs(whole - cut) / np.abs(whole).max()
    # where a harmonic more or less fits below half the rate, rounding may decide
    assert difference.max() < 1e-2
    assert difference.mean() < 1e-5


def test_the_bundled_voice_streams_as_a_whole() -> None:
    networks = Networks.load(torch.device("cpu"))
    voice = load_voice(speaker_store().find("kathleen"))
    sound, options = voiced_sound(1.2), ConvertOptions(rounds=1)
    whole = _streamed(VoiceStream(networks, voice, options), sound, [len(sound)])
    cut = _streamed(VoiceStream(networks, voice, options), sound, [11_111])
    assert np.abs(whole - cut).max() < 1e-3 * np.abs(whole).max()


@pytest.mark.parametrize(
    ("look_ahead", "onset", "latency"),
    [(None, None, 1.0), (0, None, 0.043), (1, None, 0.073), (0, 192, 0.03), (1, 192, 0.06)],
)
def test_sound_comes_no_later_than_the_stated_latency(
    look_ahead: int | None, onset: int | None, latency: float
) -> None:
    networks, voice = _small(look_ahead, onset)
    stream, sound = VoiceStream(networks, voice, ConvertOptions(rounds=0)), voiced_sound(0.8)
    given = taken = 0
    for start in range(0, len(sound), 480):
        given += 480
        taken += len(stream.push(sound[start : start + 480]))
        assert taken > given - 480 - stream.latency * 24_000
    assert taken > 0
    assert stream.latency <= latency


@pytest.mark.parametrize("samples", [0, 1, 100, 700])
def test_the_shortest_streams(samples: int) -> None:
    networks, voice = _small(None)
    stream = VoiceStream(networks, voice, ConvertOptions(rounds=0))
    assert len(_streamed(stream, voiced_sound(1.0)[:samples], [64])) == samples


@pytest.mark.parametrize("waiting", [0, 1, 10])
def test_the_running_melody_is_that_of_the_whole(waiting: int) -> None:
    sound, config = voiced_sound(1.5, f0=170.0), FeatureConfig()
    pitch = PitchFrames(config, waiting)
    for start in range(0, len(sound), 5000):
        pitch.push(sound[start : start + 5000], last=start + 5000 >= len(sound))
    f0, voicing = pitch.take(151)
    reference, voiced = track_f0(sound, config, 151)
    both = (voicing > 0.5) & (voiced > 0.5)
    assert int(both.sum()) > 0.8 * int((voiced > 0.5).sum())
    assert float((12 * (f0[both] / reference[both]).log2()).abs().median()) < 0.3


def test_the_recogniser_hears_nearly_as_much_of_a_stream_as_of_the_whole() -> None:
    sound, rate = read_audio(CLIP, sample_rate=24_000)
    recogniser, frames = Recogniser(), len(sound) // 240 + 1
    heard = {size: HeardFrames(recogniser, FeatureConfig()) for size in (7000, 500_000)}
    for size, stream in heard.items():
        for start in range(0, len(sound), size):
            stream.push(sound[start : start + size], last=start + size >= len(sound))
    piecewise, at_once = (stream.take(frames) for stream in heard.values())
    assert torch.equal(piecewise, at_once)
    whole = recogniser.listen_to(sound, rate).at(0, frames, 0.01)
    mean = whole.mean(-1, keepdim=True)
    likeness = torch.cosine_similarity((piecewise - mean).flatten(), (whole - mean).flatten(), 0)
    assert likeness > 0.75


class _Deaf(Recogniser):
    def rows(self, sound: NDArray, sample_rate: int) -> tuple[NDArray, NDArray]:
        seconds, rows = super().rows(sound, sample_rate)
        return seconds, np.zeros_like(rows)


def test_a_stream_with_time_to_hear_makes_use_of_it() -> None:
    networks = Networks.load(torch.device("cpu"))
    voice = load_voice(speaker_store().find("kathleen"))
    sound, options = read_audio(CLIP, sample_rate=24_000)[0][:48_000], ConvertOptions(rounds=0)
    heard = _streamed(VoiceStream(networks, voice, options), sound, [9600])
    deaf = replace(networks, recogniser=_Deaf())
    unheard = _streamed(VoiceStream(deaf, voice, options), sound, [9600])
    assert np.abs(heard - unheard).max() > 0.01


def test_a_running_mean_sets_out_from_the_usual_one_and_leaves_it() -> None:
    usual, frames = torch.tensor([[1.0], [-4.0]]), torch.full((1, 1, 300), 3.0)
    pause = torch.zeros(300, dtype=torch.bool)
    means = RunningMean(1000, 0.2, usual, worth=100).push(frames, pause)[0, 0]
    speech = [1 + 2 * n / (100 + n) for n in (1, 300)]
    expected = [0.8 * value + 0.2 * -4 for value in speech]
    assert means[[0, -1]].tolist() == pytest.approx(expected, rel=1e-4)


def test_the_bundled_usual_means_are_nearer_to_a_recording_s_than_its_first_frame() -> None:
    networks = Networks.load(torch.device("cpu"))
    assert networks.usual is not None
    sound, rate = read_audio(CLIP, sample_rate=24_000)
    mel = networks.spectrogram(torch.from_numpy(sound)[None])
    pause = pauses(mel)[0]
    content = networks.encoder(mel, speech_mean(mel, pause))[0]
    heard = networks.recogniser.listen_to(sound, rate).at(0, content.shape[-1], 0.01)[0]
    content = torch.cat([content, heard])[:, ~pause]
    own, usual = content.mean(1), networks.usual.content[0]
    assert (usual - own).square().mean() < (content[:, 0] - own).square().mean()


def test_the_hiss_before_the_first_word_is_not_raised_to_speech() -> None:
    hiss, speech = torch.full((100,), 1e-8), torch.full((200,), 1e-4)
    gains = Levels(3000).push(torch.cat([hiss, speech]))
    assert gains[99] < 2
    assert float(gains[-1]) == pytest.approx(ACTIVE_RMS / 1e-2, rel=0.01)


def test_a_sentence_that_falls_keeps_its_melody_from_the_start() -> None:
    fall = torch.linspace(np.log(230.0), np.log(150.0), 300)
    voiced = torch.ones(300, dtype=torch.bool)
    guessed = MelodyMean(3000).push(fall, voiced)
    plain = fall.cumsum(0) / torch.arange(1, 301)
    wanted = fall.mean()
    assert (guessed - wanted).abs().mean() < 0.5 * (plain - wanted).abs().mean()
    assert abs(float(guessed[-1] - wanted)) < 0.02


def test_frames_without_a_voice_tell_nothing_of_the_melody() -> None:
    log_f0, voiced = torch.full((200,), 5.0), torch.zeros(200, dtype=torch.bool)
    mean = MelodyMean(3000)
    spoken = mean.push(log_f0, ~voiced)[-1]
    assert mean.push(torch.full((50,), 9.0), voiced[:50])[-1] == spoken


def test_what_looks_far_ahead_is_made_in_blocks_that_no_chunk_moves() -> None:
    later, seen, size = 5, 2, 4
    sound = torch.randn(1, 1, 50, generator=torch.manual_seed(0))

    def ahead(x: Tensor, first: int) -> Tensor:
        """The sum of each frame and those to come."""
        return torch.nn.functional.pad(x, (0, later)).unfold(2, later + 1, 1).sum(-1)

    made = []
    for chunk in (1, 3, 50):
        blocks = Blocks(first=size + seen, size=size, missing=later - seen)
        stage, given, pieces = Overlapped(ahead, 0, seen, blocks=blocks), 0, []
        for x in sound.split(chunk, -1):
            given += x.shape[-1]
            piece = stage.push(x, last=False)
            pieces += [] if piece is None else [piece]
            # whole blocks, each as soon as a few frames after it are there
            assert sum(p.shape[-1] for p in pieces) == max(0, (given - seen) // size) * size
        rest = stage.push(None, last=True)
        assert rest is not None
        made.append(torch.cat([*pieces, rest], -1))
    assert all(torch.equal(m, made[0]) for m in made[1:])
    newest = sound[..., size + seen - 1]
    first_block = torch.cat([sound[..., : size + seen], newest[..., None].expand(1, 1, 3)], -1)
    assert torch.allclose(made[0][..., :size], ahead(first_block, 0)[..., :size])
    assert torch.equal(made[0][..., -2:], ahead(sound, 0)[..., -2:])  # the end is what it is
