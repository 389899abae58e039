from __future__ import annotations

import contextlib
import datetime
import json
import shlex
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicefake.cli.consent import app
from voicefake.common import consent
from voicefake.common.commandline import run
from voicefake.common.errors import BadInput, Refused, VoicefakeError, WrongUse

TODAY = datetime.date(2026, 6, 1)


def draft(**changes) -> consent.ConsentRecord:
    fields = {
        "subject": "Änne O'Neil",
        "operator": "Studio",
        "covers": ["voice"],
        "purposes": ["dubbing one film"],
        "issued": datetime.date(2026, 1, 1),
        "expires": datetime.date(2026, 12, 31),
    }
    return consent.draft_consent(**(fields | changes))


@pytest.fixture
def key(tmp_path: Path):
    return consent.load_or_create_key(tmp_path / "keys" / "ann.pem")


@pytest.fixture
def signed(key, tmp_path: Path) -> Path:
    path = tmp_path / "consent.toml"
    consent.write_consent(path, draft().signed_by(key))
    return path


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as leaving:
        run(app, [str(argument) for argument in arguments])
    return leaving.value.code


def test_a_signed_record_survives_writing_and_reading(signed: Path, key) -> None:
    record = consent.load_consent(signed)
    assert record.subject == "Änne O'Neil"
    assert record.state("voice", TODAY) == "valid"
    record.check("voice", TODAY)
    assert record.sha256 == draft_hash(record)
    # Layout and comments are free, content is not.
    signed.write_text("# a comment\n" + signed.read_text("utf-8"), "utf-8")
    assert consent.load_consent(signed) == record


def draft_hash(record: consent.ConsentRecord) -> str:
    return record.model_copy(update={"signature": None}).sha256


def test_the_statement_has_a_number_of_its_own() -> None:
    first, second = draft().statement, draft().statement
    assert "my voice" in first
    assert first != second


@pytest.mark.parametrize(
    ("changes", "covers", "today", "state"),
    [
        ({}, "face", TODAY, "wrong-scope"),
        ({}, "voice", datetime.date(2027, 1, 1), "expired"),
        ({}, "voice", datetime.date(2026, 12, 31), "valid"),
        ({}, "voice", datetime.date(2025, 12, 31), "not-yet-valid"),
        ({"covers": ["voice", "face"]}, "face", TODAY, "valid"),
    ],
)
def test_scope_and_days(key, changes, covers, today, state) -> None:
    record = draft(**changes).signed_by(key)
    assert record.state(covers, today) == state
    if state != "valid":
        with pytest.raises(Refused) as refusal:
            record.check(covers, today)
        assert refusal.value.exit_code == 4
        assert "; " in str(refusal.value)


def test_unsigned_and_changed_records_are_refused(signed: Path) -> None:
    with pytest.raises(Refused, match="is not signed"):
        draft().check("voice", TODAY)
    signed.write_text(signed.read_text("utf-8").replace('"voice"', '"face"'), "utf-8")
    with pytest.raises(Refused, match="was changed after it was signed"):
        consent.load_consent(signed).check("face", TODAY)


def test_a_signature_by_another_key_is_broken(signed: Path, tmp_path: Path) -> None:
    other = draft().signed_by(consent.load_or_create_key(tmp_path / "other.pem"))
    record = consent.load_consent(signed)
    mixed = record.signature.model_copy(update={"public_key": other.signature.public_key})
    assert record.model_copy(update={"signature": mixed}).state("voice", TODAY) == "broken"


def test_revoking_stops_a_record(signed: Path) -> None:
    record = consent.load_consent(signed)
    consent.revoke(record.revocation_id)
    consent.revoke("somebody-else-12")
    with pytest.raises(Refused, match="revoked"):
        record.check("voice", TODAY)
    assert consent.revoked_ids() == {record.revocation_id, "somebody-else-12"}


@pytest.mark.parametrize("name", ["an.toml", "record/", ".", "", "abcdefgh\nijklmnop", "é" * 9])
def test_a_misspelt_record_is_not_said_to_be_revoked(tmp_path: Path, name: str) -> None:
    assert command("revoke", name) == 2
    assert consent.revoked_ids() == frozenset()


def test_check_shows_no_invisible_letters(tmp_path: Path, key, capsys) -> None:
    path = tmp_path / "c.toml"
    consent.write_consent(path, draft(operator="Me\u202e\u009b31m").signed_by(key))
    assert command("check", path) == 0
    assert "Me??31m" in capsys.readouterr().out


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.pem"
    first = consent.load_or_create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = consent.load_or_create_key(path)
    assert first.public_key() == again.public_key()
    path.write_text("no key")
    with pytest.raises(BadInput):
        consent.load_or_create_key(path)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "subject = 3",
        'subject = "Ann"\nunknown = 1',
        "format_version = 9",
        "a = [" * 5000,
        '[[files]]\nname = "x"\nsha256 = "zz"',
    ],
)
def test_what_is_no_record_is_bad_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        consent.load_consent(path)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_record_or_bad_input(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        consent.parse_consent(content, Path("x.toml"))


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_never_leaves_a_valid_other_record(position: int, value: int) -> None:
    record = draft().signed_by(KEY)
    content = bytearray(to_toml(record))
    content[position % len(content)] = value
    try:
        changed = consent.parse_consent(bytes(content), Path("x.toml"))
    except BadInput:
        return
    assert changed.canonical == record.canonical or changed.state(None, TODAY) != "valid"


def to_toml(record: consent.ConsentRecord) -> bytes:
    from voicefake.common.consent.record import to_toml

    return to_toml(record)


def _fixed_key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


KEY = _fixed_key()


def test_training_needs_a_record_or_a_reason(signed: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="voicefake consent new"):
        consent.require_consent(None, None, "voice")
    with pytest.raises(Refused, match="no reason"):
        consent.require_consent(None, "  ", "voice")
    with pytest.raises(WrongUse):
        consent.require_consent(signed, "mine", "voice")
    override = consent.require_consent(None, "my own  voice", "voice")
    assert (override.override, override.basis, override.sha256) == ("my own voice", "override", "")
    with pytest.raises(Refused, match="covers the voice only"):
        consent.require_consent(signed, None, "face", today=TODAY)
    with pytest.raises(Refused, match="no recording of the spoken statement"):
        consent.require_consent(signed, None, "voice", today=TODAY)


def test_a_record_that_lists_files_covers_no_others(key, tmp_path: Path) -> None:
    inside, outside = tmp_path / "a.wav", tmp_path / "b.wav"
    inside.write_bytes(b"a")
    outside.write_bytes(b"b")
    path = tmp_path / "c.toml"
    consent.write_consent(path, draft(files=[inside], covers=["face"]).signed_by(key))
    record = consent.require_consent(path, None, "face", files=[inside], today=TODAY)
    assert (record.override, record.basis) == (None, "personal")
    with pytest.raises(Refused, match=r"b\.wav"):
        consent.require_consent(path, None, "face", files=[inside, outside], today=TODAY)


def test_a_licensed_data_set_names_its_licence() -> None:
    with pytest.raises(WrongUse, match="licence"):
        draft(basis="licensed-dataset", dataset="LJ Speech")
    record = draft(
        basis="licensed-dataset",
        dataset="LJ Speech",
        licence="public domain",
        attribution="LibriVox",
        expires=None,
    )
    assert record.expires is None
    assert record.statement == ""


def test_the_commands_from_draft_to_revocation(tmp_path: Path, capsys) -> None:
    path, key = tmp_path / "c.toml", tmp_path / "k.pem"
    who = ("--subject", "Ann", "--operator", "Studio", "--purpose", "dubbing")
    assert command("new", *who, "--covers", "voice,face", "-o", path, "--quiet") == 0
    assert command("new", *who, "-o", path) == 2
    assert command("check", path) == 4
    assert command("sign", path, "--key", key) == 0
    assert command("sign", path, "--key", key) == 2
    assert command("check", path, "--covers", "voice,face") == 0
    assert "valid" in capsys.readouterr().out
    assert command("check", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "valid"
    assert command("revoke", path) == 0
    assert command("check", path, "--json") == 4
    assert json.loads(capsys.readouterr().out)["state"] == "revoked"


@pytest.mark.parametrize(
    "arguments",
    [
        ("new", "--subject", "A", "--operator", "B"),
        ("new", "--subject", "", "--operator", "B", "--purpose", "C"),
        ("new", "--subject", "A", "--operator", "B", "--purpose", " "),
        ("new", "--subject", "A", "--operator", "B", "--purpose", "C", "--covers", "hand"),
        ("new", "--subject", "A", "--operator", "B", "--purpose", "C", "--expires", "soon"),
        ("new", "--subject", "A", "--operator", "B", "--purpose", "C", "--expires", "2020-01-01"),
        ("new", "--subject", "A\x1b[2J", "--operator", "B", "--purpose", "C"),
    ],
)
def test_a_draft_that_makes_no_sense_is_wrong_use(arguments, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 2
    assert "\x1b" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_to_be_typed_next_can_be_typed(tmp_path: Path, capsys) -> None:
    path = tmp_path / "Ann's record.toml"
    who = ("--subject", "Ann", "--operator", "Studio", "--purpose", "dubbing")
    assert command("new", *who, "-o", path) == 0
    following = capsys.readouterr().err.splitlines()[-1]
    assert str(path) in shlex.split(following)


def test_errors_are_ours(tmp_path: Path) -> None:
    assert command("check", tmp_path / "missing.toml") == 3
    assert command("check", tmp_path) == 3
    assert issubclass(Refused, VoicefakeError)
