"""Content credentials (C2PA): a signed manifest inside the file, made and read offline.

What is written: that the file was edited by a trained algorithm (`c2pa.edited` with
`compositeWithTrainedAlgorithmicMedia`), from which source, and the whole story as an
assertion of our own. Credentials that the source carries stay, as its ingredient. No
thumbnails: they would embed the original face.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voicefake.common.errors import VoicefakeError, WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.marks.certificate import signing_identity
from voicefake.common.marks.formats import OPAQUE, Format, format_of
from voicefake.common.marks.story import Story, bounded_mapping, software_version
from voicefake.common.text import encodable

STORY_LABEL = "voicefake.story"
GENERATOR = "voicefake"
# Signing holds about twice the file in memory (0.5 GB at 220 MB) unless it is hashed in
# pieces, so from here on a child process does it and gives the memory back.
IN_PROCESS_BYTES = 32 * 2**20
LARGEST_BYTES = 768 * 2**20
_SECONDS = 3600
_COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_SETTINGS: dict[str, Any] = {
    "version": 1,
    # Measured on a 300 MB mp4: 46 MB in memory instead of 750.
    "core": {"backing_store_memory_threshold_in_mb": 16, "merkle_tree_chunk_size_in_kb": 1024},
    "verify": {"verify_after_sign": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


class SigningFailed(Exception):
    """Credentials could not be made, for a reason that is not the user's."""


@dataclass(frozen=True)
class Job:
    """One file to sign: all a child process needs to know.

    Attributes:
        file: the finished media file (all paths are absolute).
        signed: where its signed copy goes.
        title: the name it will have.
        source: the file it was made from (empty: none).
    """

    file: str
    signed: str
    title: str
    mime: str
    source: str
    source_mime: str
    sentence: str
    story: dict[str, Any]


def embed(path: Path, title: str, story: Story, told: dict[str, Any]) -> list[str]:
    """Put credentials into the file ``path``, in place.

    Args:
        title: the name the file will have.
        told: ``story`` as JSON.

    Returns:
        Warnings; where one begins with "no content credentials", the file is as it was.
    """
    kind = format_of(path)
    if kind is None or not kind.credentials:
        return [f"no content credentials: {path.suffix or 'this format'} cannot hold them"]
    if not kind.chunked and path.stat().st_size > LARGEST_BYTES:
        return [f"no content credentials: more than {LARGEST_BYTES >> 20} MiB of {kind.mime}"]
    source_kind, warnings = _source_kind(story.source)
    try:
        with atomic_path(path, force=True) as signed:
            job = Job(
                file=str(path.absolute()),
                signed=str(signed.absolute()),
                title=title,
                mime=kind.mime,
                source=str(story.source.absolute()) if story.source else "",
                source_mime=source_kind.mime,
                sentence=story.sentence(),
                story=told,
            )
            sizes = [path.stat().st_size, story.source.stat().st_size if story.source else 0]
            if max(sizes) > IN_PROCESS_BYTES:
                _sign_in_child(job)
            else:
                sign(job)
    except (SigningFailed, VoicefakeError, OSError) as error:
        if isinstance(error, WrongUse) and error.subject == str(path):  # a temporary name
            return [f"no content credentials: {error.fault}"]
        return [f"no content credentials: {error}"]
    return warnings


def _source_kind(source: Path | None) -> tuple[Format, list[str]]:
    """What the source is, and a warning where credentials on it could not be kept."""
    if source is None:
        return OPAQUE, []
    kind = format_of(source) or OPAQUE
    if kind.credentials and not kind.chunked and source.stat().st_size > LARGEST_BYTES:
        limit = f"more than {LARGEST_BYTES >> 20} MiB"
        return OPAQUE, [f"credentials on {source.name}, if any, were not kept: {limit}"]
    return kind, []


def sign(job: Job) -> None:
    """Write the signed copy of a file.

    Raises:
        SigningFailed: the library refused, or what it wrote does not read back whole.
        BadInput: this machine's certificate is damaged.
    """
    import c2pa

    identity = signing_identity()
    try:
        builder = c2pa.Builder(_manifest(job), context=_context())
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        if job.source:
            _add_source(builder, job)
        info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain, identity.key, None)
        signer = c2pa.Signer.from_info(info)
        with open(job.file, "rb") as file, open(job.signed, "w+b") as signed:
            builder.sign(signer, job.mime, file, signed)
    except c2pa.C2paError as error:
        raise SigningFailed(str(error)) from error
    # The library's own check after signing lets some broken manifests pass.
    found = read(Path(job.signed), job.mime)
    if found is None or found["validation_state"] == "Invalid":
        raise SigningFailed("what was written does not read back whole")


def _add_source(builder: Any, job: Job) -> None:
    import c2pa

    about = {"title": encodable(Path(job.source).name), "relationship": "parentOf"}
    for mime in (job.source_mime, OPAQUE.mime):
        try:
            with open(job.source, "rb") as file:
                builder.add_ingredient(about, mime, file)
            return
        except c2pa.C2paError:
            if mime == OPAQUE.mime:
                raise


def _manifest(job: Job) -> dict[str, Any]:
    generator = {"name": GENERATOR, "version": software_version()}
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": _COMPOSITE,
        "softwareAgent": generator,
        "description": job.sentence,
    }
    return {
        "claim_generator_info": [generator],
        "title": job.title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [edited]}},
            # As text: the library reads any list of numbers back as bytes.
            {"label": STORY_LABEL, "data": {"json": json.dumps(job.story)}, "kind": "Json"},
        ],
    }


def read(path: Path, mime: str, roots: str = "") -> dict[str, Any] | None:
    """The manifest store of a file as the library reports it (none: ``None``).

    Args:
        roots: PEM text of the root certificates to trust.

    Raises:
        c2pa.C2paError: the file or its credentials cannot be parsed.
    """
    import c2pa

    with open(path, "rb") as file:
        try:
            with c2pa.Reader(mime, file, context=_context(roots)) as reader:
                store: dict[str, Any] = json.loads(reader.json())
        except c2pa.C2paError.ManifestNotFound:
            return None
    return store


def story_of(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """The story that a manifest of ours tells (not ours, or damaged: ``None``)."""
    for assertion in manifest.get("assertions", []):
        if assertion.get("label") == STORY_LABEL:
            try:
                return bounded_mapping(json.loads(assertion["data"]["json"]))
            except (KeyError, TypeError, ValueError, RecursionError):
                return None
    return None


def _context(roots: str = "") -> Any:
    import c2pa

    trust = {"trust": {"user_anchors": roots}} if roots else {}
    return c2pa.Context(c2pa.Settings.from_dict(_SETTINGS | trust))


def _sign_in_child(job: Job) -> None:
    """Sign in a process of its own, which takes its memory along when it ends."""
    command = [sys.executable, "-m", "voicefake.common.marks.signing_process"]
    home = str(Path(__file__).resolve().parents[3])
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asdict(job)),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
            cwd=home,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SigningFailed("signing took more than an hour") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["the signing process was killed"]
        raise SigningFailed(reason[0])
