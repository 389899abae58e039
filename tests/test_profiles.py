from __future__ import annotations

import datetime
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from voicefake.common import consent
from voicefake.common.commandline import run
from voicefake.common.errors import BadInput, Refused, VoicefakeError, WrongUse
from voicefake.common.profile_commands import profile_app
from voicefake.common.profiles import Kind, ProfileStore

RECORD = consent.draft_consent(
    subject="Ann",
    operator="anybody",
    covers=["voice"],
    purposes=["tests"],
    basis="licensed-dataset",
    dataset="Test set",
    licence="CC0-1.0",
    attribution="nobody",
)


@pytest.fixture
def record(tmp_path: Path) -> consent.ConsentRecord:
    return RECORD.signed_by(consent.load_or_create_key(tmp_path / "key.pem"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save_file({"w": np.ones(3, np.float32)}, path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(Kind.SPEAKER, bundled=tmp_path / "bundled", user=tmp_path / "user")


@pytest.fixture
def ann(store: ProfileStore, record, weights: Path):
    return store.create("ann", {"decoder.safetensors": weights}, record, {"f0": 200.5})


@pytest.fixture
def packed(store: ProfileStore, ann, tmp_path: Path) -> Path:
    return store.export("ann", tmp_path / "mail")


def command(store: ProfileStore, *arguments: object) -> int:
    app = profile_app(store.kind, lambda: store)
    with pytest.raises(SystemExit) as leaving:
        run(app, [str(argument) for argument in arguments])
    return leaving.value.code


def test_what_was_created_is_found(store: ProfileStore, ann, weights: Path, record) -> None:
    found = store.find("ann")
    assert found == ann
    assert found.file("decoder.safetensors").read_bytes() == weights.read_bytes()
    assert (found.basis, found.licence, found.bundled) == ("licensed-dataset", "CC0-1.0", False)
    assert found.details == {"f0": 200.5}
    assert found.person().consent_sha256 == record.sha256
    found.require_use("voice")
    with pytest.raises(Refused, match="speaker ann"):
        found.require_use("face")
    with pytest.raises(Refused):
        found.require_use("voice", datetime.date(2020, 1, 1))


def test_an_override_is_kept_and_shown(store: ProfileStore, weights: Path) -> None:
    made = store.create("me", {"decoder.safetensors": weights}, consent.Override("my own voice"))
    assert made.consent is None
    assert made.person().override == "my own voice"
    made.require_use("voice")


def test_a_record_of_another_scope_makes_no_profile(tmp_path: Path, record, weights) -> None:
    store = ProfileStore(Kind.IDENTITY, user=tmp_path / "faces")
    with pytest.raises(Refused):
        store.create("ann", {"w.safetensors": weights}, record)
    assert not (tmp_path / "faces").exists()


def test_an_unknown_name_gets_the_nearest(store: ProfileStore, ann) -> None:
    with pytest.raises(WrongUse, match="did you mean ann"):
        store.find("anne")
    with pytest.raises(WrongUse, match="choose one of ann"):
        store.find("zebra")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".x", "-x", "ä", "con", "a" * 65, "a b"])
def test_names_that_could_do_harm(store: ProfileStore, record, weights: Path, name: str) -> None:
    with pytest.raises(WrongUse):
        store.create(name, {"w.safetensors": weights}, record)
    with pytest.raises(WrongUse):
        store.find(name)
    with pytest.raises(WrongUse):
        store.remove(name)


@pytest.mark.parametrize("name", ["../w.safetensors", "w.pth", "w.pkl", "w", ".w.json", "a/b.json"])
def test_files_that_profiles_do_not_hold(store: ProfileStore, record, weights, name: str) -> None:
    with pytest.raises(BadInput):
        store.create("ann", {name: weights}, record)
    assert list(store.list()) == []


def test_replacing_needs_force_and_is_whole(store: ProfileStore, ann, record, weights) -> None:
    with pytest.raises(WrongUse, match="exists already"):
        store.create("ann", {}, record)
    with pytest.raises(WrongUse, match="exists already"):
        store.create("Ann", {}, record)
    with pytest.raises(BadInput):
        store.create("ann", {"d.safetensors": weights.parent / "missing"}, record, force=True)
    assert store.find("ann") == ann
    store.create("ann", {"new.safetensors": weights}, record, force=True)
    assert set(store.find("ann").files) == {"new.safetensors", "consent.toml"}
    assert [path.name for path in store.user.iterdir()] == ["ann"]


def test_a_process_killed_while_replacing_leaves_the_old_one(store: ProfileStore, ann) -> None:
    work = store.user / ".ann-abc123"
    work.mkdir()
    (store.user / "ann").rename(work / "old")
    assert store.find("ann").details == ann.details
    assert [profile.name for profile in store.list()] == ["ann"]


def test_what_killed_processes_left_goes(store: ProfileStore, ann, record, weights: Path) -> None:
    for name in (".ann-half/new", ".bob-gone/bob", ".eve-fresh/new", ".old-kept/old"):
        (store.user / name).mkdir(parents=True)
        if "fresh" not in name:
            os.utime((store.user / name).parent, (1e9, 1e9))
    store.create("bea", {"w.safetensors": weights}, record)
    assert sorted(p.name for p in store.user.iterdir()) == [".eve-fresh", ".old-kept", "ann", "bea"]


def test_bundled_profiles_stay(tmp_path: Path, store: ProfileStore, ann, record) -> None:
    shutil.move(store.user / "ann", store.bundled / "ann")
    assert store.find("ann").bundled
    for act in (
        lambda: store.remove("ann"),
        lambda: store.create("ann", {}, record, force=True),
        lambda: store.create("ANN", {}, record),
    ):
        with pytest.raises(WrongUse):
            act()


def test_strangers_and_damage_do_not_stop_the_list(store: ProfileStore, ann, record, capsys):
    (store.user / ".DS_Store").write_bytes(b"x")
    (store.user / "notes.txt").write_text("x")
    (store.user / "empty").mkdir()
    for name, damage in {
        "one": lambda f: (f / "profile.json").write_text("{"),
        "two": lambda f: (f / "consent.toml").unlink(),
        "three": lambda f: (f / "consent.toml").write_text("x"),
        "four": lambda f: (f / "profile.json").write_text('{"format_version": 99}'),
    }.items():
        store.create(name, {}, record)
        damage(store.user / name)
    assert [profile.name for profile in store.list()] == ["ann"]
    assert len(store.damaged()) == 6
    with pytest.raises(BadInput, match="newer version"):
        store.find("four")
    assert command(store, "list", "--json") == 0
    out, err = capsys.readouterr()
    assert [profile["name"] for profile in json.loads(out)] == ["ann"]
    assert err.count("error: ") == 6
    assert "DS_Store" not in err


def test_damaged_weights_are_found_out(store: ProfileStore, ann) -> None:
    path = ann.folder / "decoder.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match="damaged"):
        store.find("ann").file("decoder.safetensors")
    with pytest.raises(BadInput, match="has no"):
        store.find("ann").file("other.safetensors")
    with pytest.raises(BadInput):
        store.export("ann", ann.folder.parent / "x")


def test_a_swapped_consent_record_is_found_out(store: ProfileStore, ann, tmp_path: Path) -> None:
    other = consent.load_or_create_key(tmp_path / "key.pem")
    record = RECORD.model_copy(update={"subject": "Bob"}).signed_by(other)
    consent.write_consent(ann.folder / "consent.toml", record, force=True)
    with pytest.raises(BadInput, match="does not fit its consent record"):
        store.find("ann")


@pytest.mark.parametrize("name", ["voice.pth", "face.dfm", "added.INDEX"])
def test_models_of_other_tools_are_not_opened(store: ProfileStore, tmp_path: Path, name) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(BadInput, match="can run code; train from the same"):
        store.import_file(tmp_path / name)


def test_export_and_import_on_another_machine(packed: Path, ann, tmp_path: Path) -> None:
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "elsewhere")
    taken = elsewhere.import_file(packed)
    assert packed.name == "mail.voicefake"
    assert (taken.name, taken.files, taken.details) == ("ann", ann.files, ann.details)
    assert taken.consent == ann.consent
    with pytest.raises(WrongUse, match="call it otherwise with --as or add --force"):
        elsewhere.import_file(packed)
    assert elsewhere.import_file(packed, "second").file("decoder.safetensors").exists()
    elsewhere.remove("second")
    assert [profile.name for profile in elsewhere.list()] == ["ann"]
    with pytest.raises(BadInput, match=r"mail\.voicefake.*is a speaker where an identity is due"):
        ProfileStore(Kind.IDENTITY, user=tmp_path / "faces").import_file(packed)


def rebuilt(packed: Path, change) -> Path:
    """The packed profile with its entries changed by ``change(entries)``."""
    with zipfile.ZipFile(packed) as file:
        entries = {info.filename: file.read(info) for info in file.infolist()}
    change(entries)
    path = packed.with_name("hostile.voicefake")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def manifest_change(**changes):
    def change(entries):
        entries["profile.json"] = json.dumps(json.loads(entries["profile.json"]) | changes)

    return change


def with_file(name: str, content: bytes, *, described: bool):
    def change(entries):
        import hashlib

        entries[name] = content
        if described:
            manifest = json.loads(entries["profile.json"])
            manifest["files"][name] = hashlib.sha256(content).hexdigest()
            entries["profile.json"] = json.dumps(manifest)

    return change


HOSTILE = {
    "parent path": with_file("../evil.json", b"{}", described=True),
    "absolute path": with_file("/tmp/evil.json", b"{}", described=True),
    "backslash": with_file("..\\evil.json", b"{}", described=True),
    "subfolder": with_file("a/evil.json", b"{}", described=True),
    "pickle": with_file("evil.pkl", b"\x80\x04.", described=True),
    "pickle as weights": with_file("evil.safetensors", b"\x80\x04.", described=True),
    "huge header": with_file("evil.safetensors", b"\xff" * 8 + b"{}", described=True),
    "undescribed": with_file("evil.json", b"{}", described=False),
    "changed weights": with_file("decoder.safetensors", b"other", described=False),
    "missing file": lambda entries: entries.pop("decoder.safetensors"),
    "no description": lambda entries: entries.pop("profile.json"),
    "many files": lambda entries: entries.update({f"f{i}.json": b"" for i in range(40)}),
    "bad json": lambda entries: entries.update({"profile.json": b"[" * 100_000}),
    "huge description": lambda entries: entries.update({"profile.json": b" " * 2_000_000}),
    "newer": manifest_change(format_version=2),
    "unknown key": manifest_change(run="rm"),
    "other kind": manifest_change(kind="identity"),
    "no hash": manifest_change(files={"decoder.safetensors": ""}),
    "hides consent": manifest_change(consent_sha256="0" * 64),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives(packed: Path, tmp_path: Path, case: str) -> None:
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "elsewhere")
    before = set(tmp_path.rglob("*"))
    path = rebuilt(packed, HOSTILE[case])
    with pytest.raises(BadInput) as error:
        elsewhere.import_file(path)
    assert "\n" not in str(error.value)
    assert set(tmp_path.rglob("*")) - before <= {path, tmp_path / "elsewhere"}


def test_a_hostile_name_is_wrong_use(packed: Path, tmp_path: Path) -> None:
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "elsewhere")
    with pytest.raises(WrongUse):
        elsewhere.import_file(rebuilt(packed, manifest_change(name="../evil")))


def test_links_encryption_and_bombs(packed: Path, tmp_path: Path) -> None:
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "elsewhere")
    link = tmp_path / "link.voicefake"
    shutil.copy(packed, link)
    with zipfile.ZipFile(link, "a") as file:
        info = zipfile.ZipInfo("link.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    with pytest.raises(BadInput, match="not a plain file"):
        elsewhere.import_file(link)
    bomb = rebuilt(
        packed, lambda entries: entries.update({"decoder.safetensors": bytes(50_000_000)})
    )
    with pytest.raises(BadInput, match="damaged"):
        elsewhere.import_file(bomb)


def test_a_lying_end_record(packed: Path, tmp_path: Path) -> None:
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "elsewhere")
    content = bytearray(packed.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    content[end + 10 : end + 12] = b"\xff\xff"
    path = tmp_path / "end.voicefake"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="more than"):
        elsewhere.import_file(path)


def test_an_unsigned_record_is_not_taken_in(packed: Path, tmp_path: Path) -> None:
    def unsign(entries):
        text = entries["consent.toml"].decode()
        with_file("consent.toml", text[: text.index("[signature]")].encode(), described=True)(
            entries
        )

    with pytest.raises(Refused, match="unsigned"):
        ProfileStore(Kind.SPEAKER, user=tmp_path / "e").import_file(rebuilt(packed, unsign))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_any_damage_ends_in_a_typed_error(packed: Path, tmp_path: Path, at, patch) -> None:
    content = bytearray(packed.read_bytes())
    at %= len(content)
    content[at : at + len(patch)] = patch
    path = tmp_path / "fuzzed.voicefake"
    path.write_bytes(content)
    elsewhere = ProfileStore(Kind.SPEAKER, user=tmp_path / "fuzzed")
    try:
        elsewhere.import_file(path, force=True)
    except VoicefakeError as error:
        assert error.exit_code in (2, 3, 4)


def test_the_commands(store: ProfileStore, packed: Path, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(store) == 0
    assert "licensed-dataset" in capsys.readouterr().out
    for arguments in (("--json",), ("list", "--json"), ("--json", "list")):
        assert command(store, *arguments) == 0
        (only,) = json.loads(capsys.readouterr().out)
        assert {"name", "bundled", "basis", "licence"} <= set(only)
    assert command(store, "show", "ann", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["usable"]
    assert told["consent"]["subject"] == "Ann"
    assert command(store, "show", "ann") == 0
    assert command(store, "show", "bob") == 2
    assert command(store, "export", "ann") == 0
    assert command(store, "export", "ann") == 2
    assert command(store, "export", "ann", "--force", "--quiet") == 0
    text = tmp_path / "text.voicefake"
    text.write_text("hello")
    assert command(store, "import", text, "ann.voicefake", "--json") == 2
    assert command(store, "import", text) == 3
    assert command(store, "import", "ann.voicefake", "--as", "bob") == 0
    assert command(store, "remove", "ann", "bob") == 0
    assert command(store, "remove", "ann") == 2
    assert list(store.list()) == []


def test_what_was_taken_back_is_shown_as_such_and_not_passed_on(store, ann, tmp_path, capsys):
    consent.revoke(ann.permission.revocation_id)
    assert command(store) == 0
    assert "has been revoked" in capsys.readouterr().out
    assert command(store, "export", "ann", "-o", tmp_path / "mail") == 4
    assert not list(tmp_path.glob("mail*"))
