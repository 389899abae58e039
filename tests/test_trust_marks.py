from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marked_samples import ANN, BOB, SIDECAR_ONLY, SIGNED, command, make, payload, states

from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.marks import Story, certificate, credentials, marked_output, trust, verify
from voicefake.common.marks.certificate import signing_folder, signing_identity
from voicefake.common.marks.trust import trust_folder

pytest_plugins = ("marked_samples",)


@pytest.mark.parametrize("suffix", SIGNED)
def test_credentials_are_written_and_break_with_the_content(samples, tmp_path, suffix) -> None:
    sample, output = samples[suffix], tmp_path / f"out.{suffix}"
    story = Story("voice and face", (ANN, BOB), sample, {"blend": 0.5}, {"frames": np.int64(3)})
    assert make(sample, output, story).warnings == []
    found = verify(output)
    assert found.ours
    assert states(output) == {"credentials": "valid", "sidecar": "valid"}
    told = found.story
    assert told["people"][0]["consent_sha256"] == ANN.consent_sha256
    assert told["people"][1]["override"] == BOB.override
    assert told["source"]["name"] == sample.name
    assert told["figures"] == {"frames": 3}
    content = bytearray(output.read_bytes())
    content[payload(sample, output)[0]] ^= 1
    output.write_bytes(content)
    assert not verify(output).ours
    assert set(states(output).values()) == {"broken"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names are Unicode")
def test_a_name_that_is_no_unicode_is_marked_like_any_other(samples, tmp_path: Path, capfd) -> None:
    source = tmp_path / os.fsdecode(b"caf\xe9.wav")
    shutil.copyfile(samples["wav"], source)
    output = source.with_name(f"out-{source.name}")
    assert make(source, output, Story("voice", (ANN,), source)).warnings == []
    assert states(output) == {"credentials": "valid", "sidecar": "valid"}
    assert verify(output).story["source"]["name"] == "caf?.wav"
    assert command("--json", output) == 0
    assert json.loads(capfd.readouterr().out)[0]["path"] == str(output)


def test_the_source_itself_is_never_overwritten(samples, tmp_path: Path) -> None:
    source = tmp_path / "source.wav"
    shutil.copyfile(samples["wav"], source)
    (tmp_path / "link.wav").symlink_to(source)
    for output in (source, tmp_path / "link.wav"):
        with pytest.raises(WrongUse, match="the input itself"):
            make(samples["wav"], output, Story("voice", (ANN,), source), force=True)


def test_the_file_is_named_and_not_its_side_car(samples, tmp_path: Path) -> None:
    with pytest.raises(WrongUse) as told:
        make(samples["wav"], samples["wav"] / "out.wav")
    assert told.value.subject == str(samples["wav"] / "out.wav")


@pytest.mark.parametrize("suffix", SIDECAR_ONLY)
def test_elsewhere_a_side_car_tells_the_story(samples, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out.{suffix}"
    (warning,) = make(samples[suffix], output).warnings
    assert "no content credentials" in warning
    assert states(output) == {"sidecar": "valid"}
    assert verify(output).story["people"][0]["name"] == "ann"
    output.write_bytes(output.read_bytes() + b"x")
    assert states(output) == {"sidecar": "broken"}
    assert not verify(output).ours


def test_the_manifest_says_what_it_must(samples, tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    make(samples["jpg"], output, Story("face", (BOB,), samples["jpg"]))
    store = credentials.read(output, "image/jpeg")
    (manifest,) = store["manifests"].values()
    actions = manifest["assertions"][0]["data"]["actions"]
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert manifest["title"] == "out.jpg"
    assert manifest["ingredients"][0]["title"] == "sample.jpg"
    assert "thumbnail" not in json.dumps(store)
    assert str(tmp_path) not in json.dumps(store)


def test_credentials_of_the_input_stay_as_its_ingredient(samples, tmp_path: Path) -> None:
    first, second = tmp_path / "first.wav", tmp_path / "second.mp4"
    make(samples["wav"], first)
    make(samples["mp4"], second, Story("face", (BOB,), first))
    store = credentials.read(second, "video/mp4")
    assert store["validation_state"] == "Valid"
    assert len(store["manifests"]) == 2
    (ingredient,) = store["manifests"][store["active_manifest"]]["ingredients"]
    assert ingredient["active_manifest"] in store["manifests"]


def test_a_damaged_or_strange_source_does_not_stop_marking(samples, tmp_path: Path) -> None:
    text, broken = tmp_path / "text.wav", tmp_path / "broken.wav"
    text.write_text("hello")
    make(samples["wav"], broken)
    broken.write_bytes(broken.read_bytes()[:-100])
    for number, source in enumerate((text, broken, samples["ogg"])):
        output = tmp_path / f"{number}.wav"
        assert make(samples["wav"], output, Story("voice", (ANN,), source)).warnings == []
        assert verify(output).ours


def test_trusted_and_valid_are_different_words(samples, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    make(samples["wav"], output)
    root = signing_folder() / "root.pem"
    assert states(output)["credentials"] == "valid"
    assert states(output, trust=[root])["credentials"] == "trusted"
    trust_folder().mkdir()
    shutil.copy(root, trust_folder())
    assert states(output)["credentials"] == "trusted"


def test_what_cannot_be_used_in_the_trust_folder_is_named_and_the_others_hold(
    samples, tmp_path: Path, capsys
) -> None:
    output = tmp_path / "out.wav"
    make(samples["wav"], output)
    (trust_folder() / "folder.pem").mkdir(parents=True)
    (trust_folder() / ".DS_Store").write_text("x")
    for name in ("bad.pem", "bad.pub", "notes.txt"):
        (trust_folder() / name).write_text("x")
    shutil.copy(signing_folder() / "root.pem", trust_folder() / "good.crt")
    page = tmp_path / "page.html"
    assert command("--json", "--html", page, output, output) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)[0]
    assert told["marks"][0]["state"] == "trusted"
    for name in ("bad.pem", "bad.pub", "notes.txt", "folder.pem"):
        path = str(trust_folder() / name)
        assert sum(path in line for line in printed.err.splitlines()) == 1
        assert any(path in warning for warning in told["warnings"])
        assert path in page.read_text("utf-8")
    assert len(told["warnings"]) == 4


def test_a_named_root_that_is_none_stops_before_any_file(samples, tmp_path: Path, capsys) -> None:
    (tmp_path / "root.pem").write_text("x")
    assert command("--trust", tmp_path / "root.pem", samples["wav"], samples["flac"]) == 3
    printed = capsys.readouterr()
    assert printed.err.count("root.pem: holds no certificate") == 1
    assert not printed.out


def test_a_root_that_is_not_there_is_said_not_to_be_there(samples, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        verify(samples["wav"], trust=[tmp_path / "root.pem"])


def test_the_trust_folder_is_read_once_for_many_files(samples, monkeypatch) -> None:
    trust_folder().mkdir(parents=True)
    asked = []
    monkeypatch.setattr(trust, "trust_folder", lambda: asked.append(1) or trust_folder())
    assert command(samples["wav"], samples["flac"], samples["png"]) == 1
    assert len(asked) == 1


def test_another_installation_is_not_trusted(samples, tmp_path: Path, monkeypatch) -> None:
    output = tmp_path / "out.wav"
    make(samples["wav"], output)
    first = verify(output).marks[0].detail
    shutil.move(signing_folder(), tmp_path / "elsewhere")
    make(samples["wav"], tmp_path / "other.wav")
    assert states(output, trust=[signing_folder() / "root.pem"])["credentials"] == "valid"
    assert "this machine's own" in first
    assert "this machine's own" not in verify(output).marks[0].detail


def test_of_a_data_folder_that_cannot_be_written_it_is_said(
    samples, tmp_path: Path, monkeypatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(certificate, "_make", refuse)
    (warning,) = make(samples["wav"], tmp_path / "out.wav").warnings
    assert f"{signing_folder()}: cannot be written" in warning
    assert "unfinished" not in warning and "make your data folder writable" in warning


def test_the_key_is_for_its_owner_alone_and_made_once(samples) -> None:
    first = signing_identity()
    assert signing_identity() == first
    assert stat.S_IMODE((signing_folder() / "key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["key of another", "no key", "text"])
def test_a_damaged_certificate_costs_the_credentials_not_the_output(
    samples, tmp_path: Path, damage: str
) -> None:
    signing_identity()
    key = signing_folder() / "key.pem"
    if damage == "key of another":
        shutil.move(signing_folder(), tmp_path / "first")
        signing_identity()
        shutil.copy(tmp_path / "first" / "key.pem", key)
    elif damage == "no key":
        key.unlink()
    else:
        key.write_text("x")
    output = tmp_path / "out.wav"
    (warning,) = make(samples["wav"], output).warnings
    assert "no content credentials" in warning
    assert output.read_bytes() == samples["wav"].read_bytes()
    assert states(output) == {"credentials": "absent", "sidecar": "valid"}


def test_a_full_disk_costs_the_credentials_in_plain_words(samples, tmp_path, monkeypatch) -> None:
    def no_room(job: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(credentials, "sign", no_room)
    (warning,) = make(samples["wav"], tmp_path / "out.wav").warnings
    assert warning == "no content credentials: cannot be written (No space left on device)"


def test_without_a_data_folder_the_output_is_kept(samples, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    output = tmp_path / "out.wav"
    unsigned, unmarked = make(samples["wav"], output).warnings[::-1]
    assert "no content credentials" in unmarked
    assert "side-car is not signed" in unsigned
    assert states(output) == {"credentials": "absent", "sidecar": "broken"}


def test_large_files_are_signed_in_a_process_of_their_own(samples, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(credentials, "IN_PROCESS_BYTES", 1000)
    monkeypatch.chdir(tmp_path)
    output = Path("täst 'quoted' $(x).wav")
    assert make(samples["wav"], output, Story("voice", (ANN,), samples["wav"])).warnings == []
    assert states(output)["credentials"] == "valid"
    monkeypatch.setattr(credentials, "sign", None)
    signing_identity()
    (signing_folder() / "key.pem").write_text("x")
    (warning,) = make(samples["wav"], Path("b.wav")).warnings
    assert "certificate and key" in warning
    assert Path("b.wav").read_bytes() == samples["wav"].read_bytes()


def test_too_large_for_credentials(samples, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(credentials, "LARGEST_BYTES", 1000)
    output = tmp_path / "out.wav"
    (warning,) = make(samples["wav"], output).warnings
    assert "no content credentials" in warning
    assert states(output) == {"sidecar": "valid"}
    (warning,) = make(samples["mp4"], tmp_path / "o.mp4", Story("face", (), output)).warnings
    assert "were not kept" in warning


def test_nothing_is_left_when_making_fails(samples, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"

    def fail(force: bool) -> None:
        with marked_output(output, Story("voice"), force=force) as out:
            out.path.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail(force=False)
    assert list(tmp_path.iterdir()) == []
    make(samples["wav"], output)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        fail(force=True)
    with pytest.raises(WrongUse, match="exists already"):
        make(samples["wav"], output)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_figures_may_come_late(samples, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    with marked_output(output, Story("voice")) as out:
        shutil.copyfile(samples["wav"], out.path)
        out.story = replace(out.story, figures={"f0": float("nan"), "n": [np.float32(0.5)]})
    assert verify(output).story["figures"] == {"f0": None, "n": [0.5]}


def test_what_is_no_media_cannot_be_verified(samples, tmp_path: Path) -> None:
    cases = {"text.wav": b"hello", "noise.mp3": b"\x01" * 5000, "empty.wav": b""}
    cases["cut.jpg"] = samples["jpg"].read_bytes()[:300]
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput):
            verify(tmp_path / name)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(SIGNED), st.integers(0, 10**6), st.binary(min_size=1, max_size=6), st.booleans()
)
def test_no_damage_passes_for_ours_or_crashes(samples, marked, suffix, at, patch, cut) -> None:
    original = marked[suffix].read_bytes()
    content, at = bytearray(original), at % len(original)
    content[at : len(content) if cut else at + len(patch)] = patch
    path = marked[suffix].with_name(f"fuzzed.{suffix}")
    path.write_bytes(content)
    begin, end = payload(samples[suffix], marked[suffix])
    try:
        found = verify(path)
    except BadInput:
        return
    if content[begin:end] != original[begin:end]:
        assert not found.ours


@pytest.fixture(scope="module")
def marked(samples, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("marked")
    made = {}
    for suffix in SIGNED:
        made[suffix] = folder / f"out.{suffix}"
        make(samples[suffix], made[suffix])
    return made


def test_the_command_on_a_folder(samples, tmp_path: Path, capsys) -> None:
    make(samples["wav"], tmp_path / "a.wav", Story("voice", (ANN, BOB), samples["wav"]))
    make(samples["ogg"], tmp_path / "b.ogg")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    assert command(tmp_path) == 0
    out, err = capsys.readouterr()
    assert "speaker ann: licensed-dataset, CC0-1.0, consent record abababababababab" in out
    assert "without a consent record because: he is my?[31m brother" in out
    assert "passed over 1 that are no media" in err
    assert command(*tmp_path.glob("*.*"), "--json") == 3
    shutil.copy(samples["png"], tmp_path)
    (tmp_path / "notes.txt").unlink()
    capsys.readouterr()
    assert command(tmp_path, "--json") == 1
    told = {Path(item["path"]).name: item for item in json.loads(capsys.readouterr().out)}
    assert [told[name]["ours"] for name in ("a.wav", "b.ogg", "sample.png")] == [True, True, False]
    assert {"kind", "state", "confidence"} <= set(told["a.wav"]["marks"][0])
    assert command(tmp_path / "missing.wav") == 3
    (tmp_path / "empty").mkdir()
    assert command(tmp_path / "empty") == 3


def test_verify_and_consent_are_quick_to_load() -> None:
    code = (
        "import sys, voicefake.cli.verify, voicefake.cli.consent, voicefake.cli.speakers;"
        "slow = {'torch', 'cv2', 'librosa', 'av', 'scipy'} & set(sys.modules);"
        "sys.exit(f'loads {slow}' if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
