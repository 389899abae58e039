"""What is fuzzed: each takes bytes and may end in nothing but an error of ours."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recipes.library import bundled, read_recipe
from voicefake.common.consent import draft_consent, load_or_create_key, parse_consent
from voicefake.common.consent.record import to_toml
from voicefake.common.errors import VoicefakeError
from voicefake.common.marks.sidecar import read_sidecar, sidecar_path, write_sidecar
from voicefake.common.modelfile import load_model
from voicefake.common.profiles import Kind
from voicefake.common.profiles.archive import unpacked


@dataclass(frozen=True)
class Target:
    """A reader of strangers' bytes.

    Attributes:
        read: called with a scratch folder and the bytes.
        seeds: good input to start from.
    """

    read: Callable[[Path, bytes], object]
    seeds: Callable[[], list[bytes]]

    def try_bytes(self, folder: Path, content: bytes) -> bool:
        """Whether ``content`` was taken; any error but ours goes up."""
        with contextlib.suppress(VoicefakeError):
            self.read(folder, content)
            return True
        return False


def _consent(folder: Path, content: bytes) -> None:
    record = parse_consent(content, folder / "consent.toml")
    record.state(revoked=())
    parse_consent(to_toml(record), folder / "again.toml")


def _recipe(folder: Path, content: bytes) -> None:
    read_recipe(_written(folder / "recipe.toml", content))


def _sidecar(folder: Path, content: bytes) -> None:
    marked = folder / "out.wav"
    _written(sidecar_path(marked), content)
    read_sidecar(marked)


def _model(folder: Path, content: bytes) -> None:
    load_model(_written(folder / "model.safetensors", content), "fuzzed")


def _profile(folder: Path, content: bytes) -> None:
    """The whole archive, or (an odd first byte) one of the texts in an otherwise good one."""
    packed = content[1:]
    if content[:1] and content[0] % 2:
        record = packed if content[0] % 4 == 1 else _record()
        description = packed if content[0] % 4 == 3 else _description(record)
        packed = _archive({"profile.json": description, "consent.toml": record})
    with unpacked(_written(folder / "some.voicefake", packed), Kind.SPEAKER):
        pass


@functools.cache
def _record() -> bytes:
    record = draft_consent(
        subject="Ann", operator="Studio", covers=["voice", "face"], purposes=["a film"],
        languages=["en"], attribution="two\nlines",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        key = load_or_create_key(Path(folder) / "key.pem")
    return to_toml(record.signed_by(key))


def _description(record: bytes) -> bytes:
    signed = parse_consent(record, Path("consent.toml"))
    return json.dumps(
        {
            "kind": "speaker",
            "name": "ann",
            "basis": str(signed.basis),
            "licence": signed.licence,
            "attribution": signed.attribution,
            "created": "2026-01-01T00:00:00Z",
            "consent_sha256": signed.sha256,
            "files": {"consent.toml": hashlib.sha256(record).hexdigest()},
            "details": {"seconds": 1.5, "more": [None, True]},
        }
    ).encode()


def _archive(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return written.getvalue()


def _profile_seeds() -> list[bytes]:
    record, description = _record(), _description(_record())
    whole = _archive({"profile.json": description, "consent.toml": record})
    return [b"\x00" + whole, b"\x01" + record, b"\x03" + description]


def _sidecar_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        marked = _written(Path(folder) / "out.wav", b"sound")
        told = {"action": "voice", "people": [{"name": "Ann"}], "figures": {"near": 0.5}}
        write_sidecar(sidecar_path(marked), marked, marked.name, told)
        return [sidecar_path(marked).read_bytes()]


def _model_seeds() -> list[bytes]:
    told = {"kind": "fuzzed", "format_version": 1, "config": {"size": 2}, "details": {}}
    header = json.dumps(
        {
            "__metadata__": {"voicefake": json.dumps(told)},
            "a": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1, 1], "data_offsets": [4, 8]},
        }
    ).encode()
    header += b" " * (-len(header) % 8)
    return [struct.pack("<Q", len(header)) + header + bytes(8)]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


TARGETS = {
    "profile": Target(_profile, _profile_seeds),
    "consent": Target(_consent, lambda: [_record()]),
    "recipe": Target(_recipe, lambda: [entry.path.read_bytes() for entry in bundled()]),
    "sidecar": Target(_sidecar, _sidecar_seeds),
    "model": Target(_model, _model_seeds),
}
