from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from tests.voice_samples import write_sound
from voicefake.common.errors import BadInput, Refused, WrongUse
from voicefake.common.fit import FitConfig, Losses, fit
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.common.progress import Silent
from voicefake.convert import convert_file
from voicefake.features import MelSpectrogram
from voicefake.train import TrainOptions, _denoised, media_files, train_speaker
from voicefake.training.speaker import Take, slices_of, split
from voicefake.voices import load_voice

RIGHTS = "a voice made by the tests"


class _Line:
    """Fit a line; the held-out figure turns worse after a while on purpose."""

    def __init__(self, dies_at: int = -1, worse_after: int = 10**9) -> None:
        torch.manual_seed(0)
        self.generator: nn.Module = nn.Linear(3, 1)
        self.adversary: nn.Module | None = nn.Linear(1, 1)
        self.dies_at, self.worse_after = dies_at, worse_after

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        if step == self.dies_at:
            raise KeyboardInterrupt
        assert self.adversary is not None
        x = torch.randn(8, 3, generator=random)
        y = self.generator(x) + 0.01 * torch.randn(8, 1)
        adversary = (self.adversary(y.detach()) - 1).square().mean()
        return Losses((y - x.sum(1, keepdim=True)).square().mean(), adversary)

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        self.worse_after -= 1
        error = float((generator(torch.eye(3)) - 1).square().mean())
        return {"error": error if self.worse_after >= 0 else 99.0}


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    config = FitConfig(steps=24, evaluate_every=8, checkpoint_seconds=0.0)
    whole = fit(_Line(), config, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(_Line(dies_at=13), config, tmp_path / "killed")
    resumed = fit(_Line(), config, tmp_path / "killed")
    assert resumed.state.step == 24
    for name, tensor in whole.tensors.items():
        assert torch.equal(tensor, resumed.tensors[name])


def test_a_training_by_the_clock_is_looked_at_however_slow_it_is(tmp_path: Path) -> None:
    class Listener(Silent):
        done = 0.0

        def advance(self, amount: float = 1, note: str = "") -> None:
            self.done += amount

    listener = Listener()
    config = FitConfig(steps=10**6, evaluate_every=10**6, seconds=1.0)
    state = fit(_Line(), config, tmp_path, reporter=listener).state
    assert 4 <= len(state.history) <= 11  # ten where no step took a tenth of the time
    assert state.step < 10**5
    assert listener.done == pytest.approx(10**6)  # a bar that tells the time left


def test_training_stops_at_the_best_held_out_figure(tmp_path: Path) -> None:
    config = FitConfig(steps=10_000, evaluate_every=10, patience=3, learning_rate=0.05)
    result = fit(_Line(worse_after=4), config, tmp_path)
    assert result.state.best_step == 40
    assert result.state.step == 70


def test_slices_lose_nothing_and_cut_in_pauses() -> None:
    sound = np.random.default_rng(0).standard_normal(40 * 24_000).astype(np.float32)
    sound[24_000 * 9 : 24_000 * 9 + 9600] = 0
    pieces = slices_of(sound, 24_000)
    assert np.array_equal(np.concatenate(pieces), sound)
    assert max(map(len, pieces)) <= 12.5 * 24_000
    assert min(map(len, slices_of(sound[: 24_000 * 24 + 100], 24_000))) >= 12_000
    assert 24_000 * 9 <= len(pieces[0]) <= 24_000 * 9 + 9600


def _take(source: str, frames: int) -> Take:
    return Take(
        Path(source), torch.zeros(100, frames), torch.ones(frames), torch.ones(frames),
        torch.zeros(2, 4, frames), torch.zeros(3, 288, frames),
    )  # fmt: skip


def test_whole_files_are_held_out() -> None:
    takes = [_take(f"{n}.wav", 500) for n in range(12) for _ in range(2)]
    train, held_out = split(takes, seed=0)
    assert len(train) + len(held_out) == len(takes)
    assert not {t.source for t in train} & {t.source for t in held_out}
    assert sum(t.frames for t in held_out) >= 0.1 * sum(t.frames for t in takes)


def test_one_take_is_split_in_time() -> None:
    train, held_out = split([_take("a.wav", 1000)], seed=0)
    assert (train[0].frames, held_out[0].frames) == (800, 200)


def test_a_new_speaker_is_trained_and_speaks(tmp_path: Path) -> None:
    for number in range(4):
        write_sound(tmp_path / f"{number}.wav", 3.2)
    (tmp_path / ".DS_Store").write_text("a stranger")
    store = ProfileStore(Kind.SPEAKER, user=tmp_path / "store")
    options = TrainOptions(minutes=5, steps=4)
    with pytest.raises(Refused, match="no consent record"):
        train_speaker("new", [tmp_path], options=options, store=store)
    report = train_speaker(
        "new", [tmp_path], i_have_rights=RIGHTS, options=options, store=store,
        state=tmp_path / "state",
    )  # fmt: skip
    assert report.steps == 4
    assert set(report.figures) == {"figure", "l1", "sharpness"}
    assert any("passed over 1" in w for w in report.warnings)
    assert list((tmp_path / "state").glob("sample-*.wav"))
    profile = store.find("new")
    assert profile.person().override == RIGHTS
    assert load_voice(profile).log_f0[0] == pytest.approx(np.log(140), abs=0.2)
    convert_file(tmp_path / "0.wav", tmp_path / "out.wav", "new", store=store)
    with pytest.raises(WrongUse, match="new"):
        train_speaker("new", [tmp_path], i_have_rights=RIGHTS, options=options, store=store)


def test_noise_is_lowered_on_request_and_broken_files_stay(tmp_path: Path) -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal(72_000)
    soundfile.write(tmp_path / "noise.wav", noise, 24_000)
    (tmp_path / "bad.wav").write_text("not sound")
    files = [tmp_path / "noise.wav", tmp_path / "bad.wav"]
    with _denoised(files, 20.0) as copies:
        assert copies[1] == files[1]
        sound, _ = soundfile.read(copies[0])
        assert sound.shape == (72_000,)
    assert not copies[0].exists()
    with _denoised(files, 0.0) as same:
        assert same is files


def test_too_little_sound(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 2.0)
    store = ProfileStore(Kind.SPEAKER, user=tmp_path / "store")
    with pytest.raises(BadInput, match=r"2\.0 s of sound"):
        train_speaker("new", [tmp_path / "a.wav"], i_have_rights=RIGHTS, store=store)
    assert not list((tmp_path / "store").glob("*"))


def test_a_folder_without_sound(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(BadInput, match="holds no sound"):
        media_files([tmp_path])


def test_the_bundled_speakers_load() -> None:
    from voicefake.speakers import speaker_store

    store = speaker_store(user=Path("no-such-folder"))
    names = {profile.name for profile in store.list()}
    assert {"kathleen", "nobody-m"} <= names
    for name in names:
        profile = store.find(name)
        profile.require_use("voice")
        voice = load_voice(profile)
        assert voice.decoder.vector.shape[1] == voice.decoder.decoder.config.speaker
    assert MelSpectrogram().config.sample_rate == 24_000
