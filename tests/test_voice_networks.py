from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.voice_samples import voiced_sound
from voicefake.features import MelSpectrogram, extract
from voicefake.models.decoder import DecoderConfig, Melody, PersonDecoder, SpeakerDecoder
from voicefake.models.discriminator import MelDiscriminator, SoundDiscriminator
from voicefake.models.encoder import ContentEncoder, EncoderConfig
from voicefake.models.source import HarmonicSource
from voicefake.models.vocoder import Vocoder, VocoderConfig
from voicefake.training.perturb import perturb
from voicefake.windows import Framing, windows


def test_f0_of_a_known_pitch() -> None:
    sound = voiced_sound(2.0, f0=180.0)
    features = extract(sound, MelSpectrogram())
    voiced = features.f0[features.voicing > 0.5]
    assert features.frames == len(sound) // 240 + 1
    assert 160 < float(voiced.median()) < 205


def test_silence_has_no_voice() -> None:
    features = extract(np.zeros(24_000, np.float32), MelSpectrogram())
    assert float(features.voicing.max()) == 0.0
    assert torch.isfinite(features.f0).all()


def test_harmonic_source_goes_on_from_its_phase() -> None:
    source = HarmonicSource(24_000, 240)
    f0 = 150 + 20 * torch.sin(torch.arange(101) / 9)
    whole = source(f0[None], torch.zeros(1), 24_000)
    phase = source.advance(f0)
    second = source(f0[None, 50:], phase[50:51], 12_000)
    assert torch.allclose(whole[:, 12_000:], second, atol=1e-2)


def test_harmonic_source_is_flat_and_band_limited() -> None:
    source = HarmonicSource(24_000, 240)
    pulses = source(torch.full((1, 101), 200.0), torch.zeros(1), 24_000)[0]
    spectrum = torch.fft.rfft(pulses * torch.hann_window(24_000)).abs()
    heights = spectrum[200:11_000:200]
    assert float(heights.max() / heights.min()) < 1.05
    assert float(spectrum[300]) < 0.01 * float(spectrum[400])


def test_melody_marks_the_harmonics() -> None:
    spectrogram = MelSpectrogram()
    comb = Melody(spectrogram)(torch.full((1, 3), 220.0), torch.ones(1, 3))[0, :-2, 0]
    at = int((spectrogram.centres - 440).abs().argmin())
    between = int((spectrogram.centres - 330).abs().argmin())
    assert comb[at] > 0.2 > comb[between]


LOOK_AHEAD = [None, 0, 3]


def _reach(network: Callable[[torch.Tensor], torch.Tensor], channels: int) -> tuple[int, int]:
    """Frames (past, ahead) whose change is seen in what comes out at frame 100."""
    x = torch.randn(1, channels, 200, requires_grad=True)
    network(x)[..., 100].square().sum().backward()
    assert x.grad is not None
    seen = x.grad.abs().sum((0, 1)).nonzero()[:, 0]
    return 100 - int(seen.min()), int(seen.max()) - 100


@pytest.mark.parametrize("look_ahead", LOOK_AHEAD)
def test_the_networks_look_as_far_as_they_say(look_ahead: int | None) -> None:
    encoder = ContentEncoder(
        EncoderConfig(channels=16, latent=4, phones=3, teacher=5, look_ahead=look_ahead)
    )
    mean = torch.zeros(1, 100, 1)
    context = encoder.context
    assert _reach(lambda x: encoder(x, mean), 100) == (context.past, context.ahead)
    config = DecoderConfig(channels=16, hidden=16, latent=8, look_ahead=look_ahead)
    decoder, speaker = SpeakerDecoder(config), torch.randn(1, config.speaker)
    content = torch.randn(1, 8, 200)
    context = decoder.context
    assert _reach(lambda x: decoder(content, x[:, 1:], x[:, :1], speaker), 103) == (
        context.past, context.ahead,
    )  # fmt: skip
    assert context.ahead == (22 if look_ahead is None else look_ahead)


@pytest.mark.parametrize(("look_ahead", "onset"), [*((n, None) for n in LOOK_AHEAD), (0, 100)])
@pytest.mark.parametrize("rounds", [0, 2])
def test_the_vocoder_looks_no_farther_than_it_says(
    look_ahead: int | None, onset: int | None, rounds: int
) -> None:
    torch.manual_seed(0)
    vocoder = Vocoder(
        VocoderConfig(channels=16, hidden=16, blocks=2, look_ahead=look_ahead, onset=onset)
    )
    torch.nn.init.normal_(vocoder.mix.weight, std=0.1)
    noise, context = torch.randn(1, 120 * 240 + 1024), vocoder.context(rounds)

    def sound(changed: slice) -> torch.Tensor:
        mel, f0 = torch.full((1, 100, 121), -4.0), torch.full((1, 121), 150.0)
        mel[..., changed] += 1
        f0[:, changed] += 5
        with torch.no_grad():
            return vocoder(mel, f0, torch.ones(1, 121), noise=noise, rounds=rounds)

    here = slice(60 * 240, 61 * 240)
    plain = sound(slice(0, 0))[:, here]
    assert not torch.equal(plain, sound(slice(60, 61))[:, here])
    ahead = sound(slice(60 + context.ahead + 1, 121))[:, here]
    assert torch.allclose(plain, ahead, atol=1e-5)


def test_shapes_and_gradients() -> None:
    config = DecoderConfig(channels=32, hidden=32, trunk_blocks=1, tail_blocks=1, latent=8)
    decoder = SpeakerDecoder(config)
    melody = Melody(MelSpectrogram())(torch.full((2, 40), 120.0), torch.ones(2, 40))
    speaker = decoder.reference(torch.randn(2, 100, 60) - 5)
    assert torch.allclose(speaker.norm(dim=1), torch.ones(2), atol=1e-5)
    mel = decoder(torch.randn(2, 8, 40), melody, torch.zeros(2, 1, 40), speaker)
    assert mel.shape == (2, 100, 40)
    logits = MelDiscriminator()(mel, torch.ones(2, 100, 1))[-1]
    logits.mean().backward()
    assert decoder.enter.weight.grad is not None


def test_only_tail_and_vector_of_a_person_are_trained() -> None:
    config = DecoderConfig(channels=32, hidden=32, trunk_blocks=1, tail_blocks=1, latent=8)
    person = PersonDecoder(SpeakerDecoder(config), torch.randn(1, config.speaker))
    trained = {name for name, p in person.named_parameters() if p.requires_grad}
    assert trained == {"vector"} | {n for n in trained if n.startswith("decoder.tail.")}
    assert len(trained) > 1


def test_rounds_of_consistency_bring_the_mel_nearer() -> None:
    torch.manual_seed(0)
    vocoder = Vocoder(VocoderConfig(channels=16, hidden=16, blocks=1)).eval()
    sound = voiced_sound(1.0)
    features = extract(sound, vocoder.spectrogram)
    noise = torch.randn(1, len(sound) + 1024)
    errors = []
    for rounds in (0, 4, 16):
        with torch.no_grad():
            audio = vocoder(
                features.mel[None], features.f0[None], features.voicing[None],
                length=len(sound), noise=noise, rounds=rounds,
            )  # fmt: skip
            error = (vocoder.spectrogram(audio)[0] - features.mel).abs().mean()
        assert audio.shape == (1, len(sound))
        errors.append(float(error))
    assert errors[0] > errors[1] > errors[2]


def test_what_every_round_does_is_exact() -> None:
    torch.manual_seed(0)
    spectrogram, spectrum = MelSpectrogram(), torch.randn(2, 513, 9, dtype=torch.complex64)
    spectrum[..., 3] = 0
    spectrum.requires_grad_(True)
    mel = spectrogram.of_spectrum(spectrum)
    expected = (spectrogram.bands @ spectrum.abs()).clamp_min(1e-5).log()
    assert torch.allclose(mel, expected, atol=1e-4)
    mel.sum().backward()
    assert spectrum.grad is not None
    assert bool(torch.isfinite(torch.view_as_real(spectrum.grad)).all())
    sound = spectrogram.istft(spectrum.detach(), 1920)
    torchs = torch.istft(spectrum.detach(), 1024, 240, window=spectrogram.window, length=1920)
    assert torch.allclose(sound, torchs, atol=1e-5)
    real = torch.randn(1, 4800)
    assert torch.allclose(spectrogram.istft(spectrogram.stft(real), 4800, 100), real, atol=1e-4)


def test_sound_discriminator_ignores_what_lies_above_the_bandwidth() -> None:
    torch.manual_seed(0)
    discriminator = SoundDiscriminator(sizes=(512,), channels=4)
    low = torch.sin(torch.arange(4800) * 0.2)[None]
    high = low + torch.sin(torch.arange(4800) * 2.9)[None]
    half = torch.tensor([0.5])
    a, b = (discriminator(x, half)[0][-1] for x in (low, high))
    assert torch.allclose(a, b, atol=1e-2)
    a, b = (discriminator(x, torch.ones(1))[0][-1] for x in (low, high))
    assert not torch.allclose(a, b, atol=1e-2)


def test_perturbation_changes_every_item_differently_and_repeats() -> None:
    mel = torch.randn(1, 100, 50).expand(3, -1, -1) - 5
    centres = MelSpectrogram().centres
    a = perturb(mel, centres, 1.0, torch.Generator().manual_seed(1))
    b = perturb(mel, centres, 1.0, torch.Generator().manual_seed(1))
    assert torch.equal(a, b)
    assert not torch.allclose(a[0], a[1])
    nothing = perturb(mel, centres, 0.0, torch.Generator().manual_seed(1))
    assert torch.allclose(nothing, mel, atol=1e-4)


@pytest.mark.parametrize("length", [1, 2399, 2400, 7200, 10_001])
def test_windows_cover_the_whole_sound(length: int) -> None:
    sound = np.arange(length, dtype=np.float32)[None]
    framing = Framing(hop_length=240, core=10, context=3)
    blocks = (sound[:, i : i + 2400] for i in range(0, length, 2400))
    cores = []
    for window in windows(blocks, framing):
        cores.append(window.sound[:, window.core])
        start = window.first_frame * 240
        assert np.array_equal(window.sound[0], sound[0, start : start + window.sound.shape[1]])
    assert np.array_equal(np.concatenate(cores, 1), sound)
