"""Reading the marks of a file back, in words that claim no more than was checked."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefake.common.consent.revocation import revoked_ids
from voicefake.common.errors import BadInput
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.marks import credentials, manifests
from voicefake.common.marks.certificate import local_serial
from voicefake.common.marks.formats import Format, format_of
from voicefake.common.marks.mark import Ingredient, Mark, MarkKind, MarkState
from voicefake.common.marks.sidecar import read_sidecar, sidecar_path, signer_of
from voicefake.common.marks.story import Person, people_of
from voicefake.common.marks.trust import Trust, read_trust


@dataclass(frozen=True)
class Verification:
    """What the marks of a file say; marks that its format cannot hold are not listed.

    Attributes:
        warnings: what of the user's trust folder was passed over.
    """

    path: Path
    marks: tuple[Mark, ...]
    warnings: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether an intact mark says that this toolkit made the file."""
        return bool(self.evidence)

    @property
    def evidence(self) -> list[str]:
        """Kinds of the marks on which that rests."""
        return [str(mark.kind) for mark in self.marks if mark.ours and mark.intact]

    @property
    def story(self) -> dict[str, Any] | None:
        """What the first intact mark of ours tells (none: ``None``)."""
        return next((m.story for m in self.marks if m.ours and m.intact and m.story), None)

    @property
    def people(self) -> tuple[Person, ...]:
        """Whose likeness is in it, as the story tells."""
        return people_of(self.story or {})

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """What it was made from, nearest first, as its credentials tell."""
        return tuple(item for mark in self.marks if mark.intact for item in mark.ingredients)

    @property
    def revoked(self) -> list[str]:
        """Names of people in the story whose consent is on this user's revocation list."""
        named = [person for person in self.people if person.revocation_id]
        taken_back = revoked_ids() if named else ()
        return [person.name for person in named if person.revocation_id in taken_back]

    def to_json(self) -> dict[str, Any]:
        """As ``voicefake verify --json`` prints it."""
        marks = [
            {
                "kind": str(mark.kind),
                "state": str(mark.state),
                "confidence": mark.confidence,
                "ours": mark.ours,
                "detail": mark.detail,
                "id": mark.ident,
                "story": mark.story,
            }
            for mark in self.marks
        ]
        return {
            "path": str(self.path),
            "ours": self.ours,
            "evidence": self.evidence,
            "revoked": self.revoked,
            "story": self.story,
            "ingredients": [asdict(item) for item in self.ingredients],
            "marks": marks,
            "warnings": list(self.warnings),
        }


def verify(path: Path, *, trust: Sequence[Path] | Trust = ()) -> Verification:
    """Look for the marks of the file ``path``.

    Args:
        trust: root certificates (PEM) to trust beside those in the user's trust folder, or what
            ``read_trust`` made of both, for many files.

    Raises:
        BadInput: it cannot be read, or is no media file.
    """
    regular_file(path)
    trusted = trust if isinstance(trust, Trust) else read_trust(trust)
    sidecar = _sidecar_mark(path, trusted)
    kind = format_of(path)
    if kind is None and sidecar.state is MarkState.ABSENT:
        raise BadInput(
            path, "is no media file that is known here", "name a sound, video or picture"
        )
    # Decoders are loaded only here: every command imports this package for its stories.
    from voicefake.common.marks.found import measured_marks

    marks = []
    if kind is not None and kind.credentials and _parsable(path, kind):
        marks.append(_credentials_mark(path, kind, trusted.roots))
    try:
        marks += measured_marks(path, kind)
    except BadInput:
        # What cannot be decoded can still be told from by its credentials and its side-car.
        if all(mark.state is MarkState.ABSENT for mark in (*marks, sidecar)):
            raise
    return Verification(path, (*marks, sidecar), trusted.warnings)


def _parsable(path: Path, kind: Format) -> bool:
    """Whether the credentials of ``path`` can be read in bounded memory."""
    return kind.chunked or path.stat().st_size <= credentials.LARGEST_BYTES


def _sidecar_mark(path: Path, trusted: Trust) -> Mark:
    kind = MarkKind.SIDECAR
    try:
        content = read_sidecar(path)
    except BadInput as error:
        return Mark(kind, MarkState.BROKEN, 1.0, f"{sidecar_path(path).name} {error.fault}")
    if content is None:
        return Mark(kind, MarkState.ABSENT, 1.0, f"there is no {sidecar_path(path).name}")
    story, ident = content["story"], _ident(content["story"])
    if content["file"]["sha256"] != sha256_of(path):
        detail = "the file is not the one that the side-car was written for"
        return Mark(kind, MarkState.BROKEN, 1.0, detail, ours=True, story=story, ident=ident)
    signer = signer_of(content, trusted.keys)
    who = {
        "this machine": "this machine's own key, which nobody vouches for",
        "trusted": "a key that you trust",
        "unknown": "a key that you do not know",
    }[signer]
    state = MarkState.TRUSTED if signer == "trusted" else MarkState.VALID
    detail = f"the file is untouched since the side-car was signed with {who}"
    return Mark(kind, state, 1.0, detail, ours=True, story=story, ident=ident)


def _credentials_mark(path: Path, kind: Format, roots: str) -> Mark:
    import c2pa

    try:
        store = credentials.read(path, kind.mime, roots)
    except (c2pa.C2paError, ValueError) as error:
        if not _mentions_credentials(path):
            fault = f"is damaged: it cannot be parsed as {kind.mime}"
            raise BadInput(path, fault, "get it again from its source") from error
        detail = "there are credentials, but they or the file are too damaged to read"
        return Mark(MarkKind.CREDENTIALS, MarkState.BROKEN, 1.0, detail)
    if store is None:
        detail = "the file carries no content credentials"
        return Mark(MarkKind.CREDENTIALS, MarkState.ABSENT, 1.0, detail)
    active, own = manifests.active(store), manifests.own(store)
    story = None if own is None else credentials.story_of(own)
    state = {"Trusted": MarkState.TRUSTED, "Valid": MarkState.VALID}.get(
        store.get("validation_state", ""), MarkState.BROKEN
    )
    detail = _detail(state, store, active)
    if own is not None and own is not active:
        detail += f"; made with voicefake before {manifests.generator(active)} edited it"
    return Mark(
        MarkKind.CREDENTIALS, state, 1.0, detail, own is not None, story, _ident(story),
        tuple(manifests.ingredients(store)),
    )  # fmt: skip


def _ident(story: dict[str, Any] | None) -> str | None:
    """The watermark's id that a story, maybe a stranger's, names."""
    ident = story.get("watermark") if story else None
    return ident if isinstance(ident, str) else None


def _detail(state: MarkState, store: dict[str, Any], active: dict[str, Any]) -> str:
    if state is MarkState.BROKEN:
        return _why_broken(store)
    signer = manifests.signer(active)
    if state is MarkState.TRUSTED:
        return f"untouched since {signer} signed it, whose root certificate you trust"
    if active.get("signature_info", {}).get("cert_serial_number") == local_serial():
        return "untouched since this machine's own certificate signed it, which nobody vouches for"
    return f"untouched since {signer} signed it; nobody you trust vouches for that certificate"


def _why_broken(store: dict[str, Any]) -> str:
    results = store.get("validation_results", {}).get("activeManifest", {})
    codes = {failure.get("code", "") for failure in results.get("failure", [])}
    codes.discard("signingCredential.untrusted")
    if any(code.endswith(("dataHash.mismatch", "bmffHash.mismatch")) for code in codes):
        return "the content was changed after it was signed"
    if any(code.startswith("claimSignature") for code in codes):
        return "the signature does not fit: the credentials themselves were changed"
    if any(code.startswith("signingCredential") for code in codes):
        return f"the certificate may not sign this ({', '.join(sorted(codes))})"
    return f"the credentials do not hold ({', '.join(sorted(codes)) or 'no reason given'})"


def _mentions_credentials(path: Path) -> bool:
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(b"c2pa") >= 0
