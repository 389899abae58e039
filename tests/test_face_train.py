"""Training a face for a few steps, for real; what is held out; what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from face_samples import blank, frame, reference, talking, write_clip

from facesync.align import align, crop
from facesync.cli import main
from facesync.dataset import FaceSetWriter, Row, load_faces
from facesync.detect import FaceFinder
from facesync.identities import BASE, load_identity
from facesync.models.discriminator import (
    FaceDiscriminator,
    load_discriminator,
    save_discriminator,
)
from facesync.models.network import FaceNetwork, NetworkConfig, load_network, save_network
from facesync.references import choose_varied
from facesync.store import identity_store
from facesync.training import losses
from facesync.training.identity import TrainOptions
from facesync.training.split import hold_out
from facesync.verdict import verdicts
from facesync.wanted import SourceFace
from voicefake.common.errors import BadInput
from voicefake.common.media import write_image
from voicefake.common.profiles import ProfileStore

REASON = ("--i-have-rights", "the face is a composite that is nobody's")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = talking(50, name="nobody-b", size=150)
    return write_clip(tmp_path_factory.mktemp("train") / "b.mp4", frames)


def test_train_then_swap_to_the_new_face(clip, tmp_path, capsys):
    work = tmp_path / "work"
    train = ("train", "bob", clip, *REASON, "--steps", 2, "--every", 1, "--work", work, "--json")
    assert run(*train) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["steps"], told["faces"]) == (2, 50)
    assert 4 <= told["held_out"] <= 12
    assert np.isfinite(told["history"][-1]["total"])
    assert list(work.glob("*/same.png"))
    profile = identity_store().find("bob")
    assert profile.basis == "override"
    identity = load_identity(profile)
    base, _ = load_network(BASE)
    assert torch.equal(identity.network.encoder.code.weight, base.encoder.code.weight)
    assert not torch.equal(identity.network.decoder.enter.weight, base.decoder.enter.weight)
    still = tmp_path / "still.png"
    write_image(still, frame())
    assert run("swap", still, "--to", "bob", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["swapped"] == 1
    sidecar = json.loads((tmp_path / "still.bob.png.voicefake.json").read_text())
    assert REASON[1] in json.dumps(sidecar)
    assert run(*train) == 2  # the name is taken
    assert "--force" in capsys.readouterr().err
    again = ("--steps", 2, "--every", 1, "--work", work, "--json", "--force")
    assert run("train", "bob", clip, *REASON, *again) == 0
    assert json.loads(capsys.readouterr().out)["seconds"] == told["seconds"]  # went on at its end


def test_one_picture_is_enough_to_describe_somebody(tmp_path, capsys):
    picture = tmp_path / "one.png"
    write_image(picture, frame(name="nobody-c", size=230))
    assert run("train", "one", picture, *REASON, "--steps", 0, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["faces"], told["held_out"]) == (1, 0)
    assert "no early stop" in told["warnings"][0]
    assert len(load_identity(identity_store().find("one")).references) == 1
    export = tmp_path / "one.voicefake"
    assert run("identities", "export", "one", "-o", export, "--quiet") == 0
    assert run("identities", "remove", "one", "--quiet") == 0
    assert run("identities", "import", export, "--quiet") == 0
    assert "one" in [p.name for p in identity_store().list()]


def test_training_wants_consent_and_a_face(tmp_path, capsys):
    picture, empty = tmp_path / "face.png", tmp_path / "empty.png"
    write_image(picture, frame())
    write_image(empty, blank())
    assert run("train", "somebody", picture) == 4
    assert "consent" in capsys.readouterr().err
    assert run("train", "somebody", empty, *REASON) == 3
    assert run("train", "somebody", tmp_path / "missing.png", *REASON) == 3
    assert run("train", "nobody-a", picture, *REASON) == 2
    assert run("train", "some/body", picture, *REASON) == 2
    assert run("train", "somebody", picture, *REASON, "--steps", -1) == 2
    assert not [p for p in identity_store().list() if not p.bundled]


def test_what_is_held_out_is_whole():
    a, b = Path("a.mp4"), Path("b.mp4")
    assert hold_out([(a, k) for k in range(20)]) == [False] * 20
    long = hold_out([(a, k) for k in range(100)] + [(b, k) for k in range(100)])
    assert long == ([False] * 88 + [True] * 12) * 2
    many = [(Path(f"{n}.mp4"), k) for n in range(16) for k in range(5)]
    held = {path for (path, _), out in zip(many, hold_out(many), strict=True) if out}
    kept = {path for (path, _), out in zip(many, hold_out(many), strict=True) if not out}
    assert held and not held & kept
    assert len(held) == 2


def test_references_are_varied():
    grid = np.float32([[k % 5 * 0.05, 0.2, k // 5 * 0.05, 0.6, 0] for k in range(25)])
    chosen = choose_varied(grid, np.ones(25, np.float32), 4)
    assert len(set(chosen)) == 4
    assert np.ptp(grid[chosen, 2]) > 0.1
    assert choose_varied(grid[:1].repeat(6, 0), np.ones(6, np.float32), 4) == [0]


def test_a_face_set_comes_back_as_it_was_written(tmp_path):
    writer = FaceSetWriter(tmp_path)
    crop = np.arange(144 * 144 * 3, dtype=np.uint8).reshape(144, 144, 3)
    writer.add(crop, reference().points, Row("p", "g", "speech", True))
    writer.close()
    faces = load_faces(tmp_path)
    assert np.array_equal(faces.crops[0], crop)
    assert np.allclose(faces.points[0], reference().points)
    assert faces.rows[0].held_out


def test_the_discriminator_learns_to_tell_noise_from_a_face():
    torch.manual_seed(0)
    network = FaceDiscriminator(8)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    real = torch.from_numpy(reference().look[8:136, 8:136, :3].transpose(2, 0, 1))[None]
    mask = torch.ones(1, 1, 128, 128)
    values = []
    for _ in range(40):
        fake = real + 0.4 * torch.randn_like(real)
        loss = losses.hinge_real_drawn(network(real, mask), network(fake, mask))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[0] > 1.8
    assert np.mean(values[-5:]) < 1.5


def test_the_bundled_discriminator_knows_a_picture_from_its_blur():
    faces = []
    for sigma in (0, 2):
        picture = frame(name="nobody-b", size=200)
        face = FaceFinder().find(picture)[0]
        if sigma:
            picture = cv2.GaussianBlur(picture, (0, 0), sigma)
        similarity = align(face.points)
        points = similarity.apply(face.points)
        faces.append(SourceFace.of(crop(picture, similarity, 128), points))
    sharp, blurred = verdicts(faces)
    assert sharp.face.shape == (17, 17)
    assert sharp.eyes.shape == (9, 22)
    assert sharp.mouth.shape == (11, 16)
    assert np.isnan(sharp.face[0, 0]) and np.isfinite(sharp.face[8, 8])
    assert 0 < blurred.real < sharp.real < 1
    assert verdicts([]) == []


def test_a_discriminator_goes_on_from_its_file(tmp_path):
    network = FaceDiscriminator(8)
    save_discriminator(tmp_path / "d.safetensors", network, {"calibration": {}})
    again, details = load_discriminator(tmp_path / "d.safetensors")
    picture, mask = torch.rand(1, 3, 128, 128), torch.ones(1, 1, 128, 128)
    before, after = network.eval()(picture, mask)[0][-1], again(picture, mask)[0][-1]
    assert torch.allclose(before, after, atol=0.02)
    assert details == {"calibration": {}}
    with pytest.raises(BadInput):
        load_discriminator(BASE)


def test_losses_know_the_same_from_the_different():
    picture = torch.rand(2, 1, 32, 32)
    weight = torch.ones_like(picture)
    assert losses.dssim(picture, picture, weight).item() == pytest.approx(0, abs=1e-5)
    assert losses.dssim(picture, 1 - picture, weight).item() > 0.4
    colour = picture.repeat(1, 3, 1, 1)
    assert losses.weighted_l1(colour, colour + 1, weight).item() == pytest.approx(1.5)
    blurred = torch.nn.functional.avg_pool2d(picture, 3, 1, 1)
    assert losses.detail_ratio(blurred, picture, weight).item() < 0.7


def test_a_network_is_rebuilt_from_its_file_alone(tmp_path):
    config = NetworkConfig(
        encoder=(8, 8, 8, 8, 8), latent=16, decoder=(16, 16, 8, 8), seed_channels=4, people=3
    )
    network = FaceNetwork(config)
    save_network(tmp_path / "x.safetensors", network, {"licence": "none"})
    again, details = load_network(tmp_path / "x.safetensors")
    assert again.config == config
    assert details == {"licence": "none"}
    with pytest.raises(BadInput):
        load_network(BASE.with_name("template.safetensors"))


def test_a_damaged_identity_is_refused(tmp_path):
    store = ProfileStore(identity_store().kind, user=tmp_path / "identities")
    source = identity_store().find("nobody-a")
    broken = tmp_path / "identity.safetensors"
    broken.write_bytes(source.file("identity.safetensors").read_bytes()[:-100])
    store.create("broken", {"identity.safetensors": broken}, source.permission, {})
    with pytest.raises(BadInput):
        load_identity(store.find("broken"))


def test_training_takes_bfloat16_only_where_the_processor_knows_it(monkeypatch):
    config = TrainOptions().fit_config(0, 10, torch.device("cpu"))
    assert config.bfloat16 == bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert TrainOptions().fit_config(0, 10, torch.device("cpu")).bfloat16
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert not TrainOptions().fit_config(0, 10, torch.device("cpu")).bfloat16
