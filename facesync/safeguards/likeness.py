"""Whether the face in a spoken statement is the face that is to be copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facesync.choose import OnlyFace
from facesync.collect import Found
from facesync.detect import FaceFinder
from facesync.references import MARGIN_SHARE
from facesync.safeguards.faceprint import faceprint
from voicefake.common.consent import Basis, ConsentRecord, Permission
from voicefake.common.consent.statement import find_statement
from voicefake.common.errors import BadInput, Refused
from voicefake.common.media import probe
from voicefake.common.media.video_spread import spread_pictures

# Measured with python -m recipes.safeguards.face_match, see README.md beside this file.
NEAR_ENOUGH = 0.74
_MOST = 60  # faces that are looked at
_STATEMENT_PICTURES = 12


@dataclass(frozen=True)
class FaceMatch:
    """How near two faces are.

    Attributes:
        nearness: 1 less half the distance of the mean faceprints.
        farthest: the file whose faces are farthest off.
        farthest_nearness: of these.
    """

    nearness: float
    farthest: Path
    farthest_nearness: float

    @property
    def same(self) -> bool:
        """Whether all are taken for one person's."""
        return min(self.nearness, self.farthest_nearness) >= NEAR_ENOUGH


def statement_print(statement: Path) -> Tensor:
    """``(128,)``, the mean faceprint of the one face in a statement video.

    Raises:
        BadInput: it shows no face, or several.
    """
    finder, choose = FaceFinder(), OnlyFace(statement)
    prints = []
    for _, image in spread_pictures(statement, _STATEMENT_PICTURES):
        faces = finder.find(image)
        if faces:
            prints.append(faceprint(image, choose(faces, image).points))
    if not prints:
        raise BadInput(statement, "shows no face", "record the statement with the face in view")
    return torch.stack(prints).mean(0)


def found_print(found: Found) -> Tensor:
    """``(128,)`` of a face that was collected."""
    margin = found.crop.shape[0] * MARGIN_SHARE / (1 + 2 * MARGIN_SHARE)
    side = found.crop.shape[0] - 2 * margin
    return faceprint(found.crop, np.asarray(found.points * side + margin - 0.5, np.float32))


def nearness(a: Tensor, b: Tensor) -> float:
    """Of two faceprints, 1: the same."""
    return 1 - float((a - b).norm()) / 2


def match_face(statement: Tensor, found: Sequence[Found]) -> FaceMatch:
    """Compare a statement's faceprint with the faces that were collected, of all and per file."""
    chosen = [found[i] for i in np.linspace(0, len(found) - 1, min(_MOST, len(found))).astype(int)]
    prints: dict[Path, list[Tensor]] = {}
    for face in chosen:
        prints.setdefault(face.source, []).append(found_print(face))
    near = {path: nearness(statement, _mean(some)) for path, some in prints.items()}
    farthest = min(near, key=lambda path: near[path])
    whole = _mean([one for some in prints.values() for one in some])
    return FaceMatch(nearness(statement, whole), farthest, near[farthest])


def statement_video(
    permission: Permission, consent: Path | None, given: Path | None
) -> Path | None:
    """The video of the statement, where the permission is a person's own and has one.

    Args:
        consent: where the record lies.
        given: the statement's recording; default: the one beside the record.

    Raises:
        Refused: the record names a statement that is not at hand, or it is another one.
    """
    if not isinstance(permission, ConsentRecord) or consent is None:
        return None
    if permission.basis is not Basis.PERSONAL or not permission.statement_audio_sha256:
        return None
    statement = find_statement(permission, consent, given)
    return statement if probe(statement).video is not None else None


def require_same_face(statement: Path, found: Sequence[Found]) -> None:
    """Stop unless the faces collected are of the person who speaks the statement.

    Raises:
        Refused: some or all are of another face.
        BadInput: the statement shows no face, or several.
    """
    match = match_face(statement_print(statement), found)
    if not match.same:
        near = f"nearness {match.farthest_nearness:.2f}, at least {NEAR_ENOUGH:.2f} is needed"
        fault = f"shows another face than the consent's statement, {statement.name} ({near})"
        remedy = "give pictures of that person alone, or record the statement again"
        raise Refused(match.farthest, fault, remedy)


def _mean(prints: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(prints)).mean(0)
