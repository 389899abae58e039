"""Teaching the decoder one person: from a clip, some pictures, or a single one."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facesync.arrays import Image, as_image
from facesync.choose import ByPlace, Chooser, OnlyFace
from facesync.collect import CollectConfig, Found, Skipped, collect, media_files
from facesync.dataset import STORED, FaceSet, FaceSetWriter, Row
from facesync.detect import FaceFinder
from facesync.identities import (
    BASE,
    FILE,
    PREVIEW,
    Identity,
    load_identity,
    write_identity,
)
from facesync.models.discriminator import load_discriminator
from facesync.models.network import FaceNetwork, load_network
from facesync.references import MARGIN_SHARE, Reference, choose_varied
from facesync.retarget import neutral_of
from facesync.safeguards.likeness import require_same_face
from facesync.store import identity_store
from facesync.strands import without_strands
from facesync.training.pairs import PairConfig, Pairs
from facesync.training.preview import write_sheet
from facesync.training.split import hold_out
from facesync.training.task import FaceTask, TaskConfig
from voicefake.common.consent import Permission
from voicefake.common.devices import Device, has_fast_bfloat16, resolve_device
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.fit import FitConfig, FitResult, FitState, fit
from voicefake.common.media import write_image
from voicefake.common.places import data_folder
from voicefake.common.profiles import Profile, ProfileStore
from voicefake.common.progress import Reporter, Silent

_PERSON, _DONOR = "person", "donor"
_WATCHED = 24
_FIRST_STEPS, _STEPS_A_FACE = 60, 8
_MOST_FACES = 1200  # 250 kB each while they are sorted


@dataclass(frozen=True)
class TrainOptions:
    """How an identity is made.

    Attributes:
        steps: optimiser steps at most (fewer where nothing can be held out, see
            ``steps_without_proof``); 0 describes the person without training.
        minutes: wall-clock budget (0: none).
        patience: looks at the held-out part without a better figure before stopping.
        batch: faces a step.
        references: pictures of the person to keep.
        stride: every how many frames of a video one is used.
        which: of several faces, see ``facesync swap --which``.
    """

    steps: int = 1500
    minutes: float = 0.0
    patience: int = 5
    batch: int = 8
    references: int = 24
    stride: int = 2
    which: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            WrongUse: out of range.
        """
        for name, least in (
            ("steps", 0), ("minutes", 0), ("patience", 0), ("batch", 1), ("references", 1),
            ("stride", 1),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise WrongUse(f"--{name}", f"is below {least}", "give a larger number")

    def chooser(self, path: Path) -> Chooser:
        """Who picks among several faces of ``path``."""
        return ByPlace(self.which) if self.which else OnlyFace(path)

    def steps_without_proof(self, faces: int) -> int:
        """Steps for ``faces`` of which none is held out: enough to see each about 64 times.

        No figure says there when to stop; a single picture would be learned by heart.
        """
        return min(self.steps, _FIRST_STEPS + _STEPS_A_FACE * faces)

    def fit_config(self, seed: int, steps: int, device: torch.device) -> FitConfig:
        """For the training loop."""
        return FitConfig(
            steps=steps, seconds=60 * self.minutes, learning_rate=2e-4, adversary_rate=4e-4,
            betas=(0.8, 0.99), weight_decay=1e-4, warmup_steps=30, final_scale=0.1,
            ema_decay=0.995, evaluate_every=max(1, min(100, steps)), patience=self.patience,
            bfloat16=has_fast_bfloat16(device), seed=seed,
        )  # fmt: skip


@dataclass(frozen=True)
class TrainReport:
    """What came of it; ``history`` has one entry per look at the held-out part."""

    profile: Profile
    faces: int
    held_out: int
    steps: int
    seconds: float
    history: list[dict[str, float]]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]


def train_identity(
    name: str,
    media: Sequence[Path],
    permission: Permission,
    *,
    options: TrainOptions | None = None,
    statement: Path | None = None,
    store: ProfileStore | None = None,
    work: Path | None = None,
    device: Device | str = Device.AUTO,
    seed: int = 0,
    reporter: Reporter | None = None,
    force: bool = False,
) -> TrainReport:
    """Make the identity ``name`` from videos, pictures and folders of both.

    Args:
        permission: what ``require_consent`` gave.
        statement: video of the consent's statement, whose face must be the one in ``media``.
        work: where an interrupted training waits to go on; default: in the user's data folder.

    Raises:
        WrongUse: the name is taken or cannot be one.
        BadInput: no face in any file.
        Refused: the statement shows another face.
    """
    options, reporter = options or TrainOptions(), reporter or Silent()
    store = store or identity_store()
    store.refuse_taken(name, force=force)
    files, skipped = media_files(media)
    work = work or data_folder() / "training" / "identities" / name
    folder = work / _key(files, options, seed)
    found = _collect(files, options, skipped, reporter)
    if not found:
        fault = skipped[0].fault if len(files) == 1 and skipped else "show no face"
        raise BadInput(media[0], fault, "name other videos or pictures")
    if statement is not None:
        require_same_face(statement, found)
    held = hold_out([(f.source, f.index) for f in found])
    network, _ = load_network(BASE)
    identity = _described(network, [f for f, out in zip(found, held, strict=True) if not out],
                          options.references)  # fmt: skip
    warnings = [] if any(held) else ["too little material to hold a part out: no early stop"]
    result = FitResult({}, FitState())
    if options.steps:
        result = _fit(
            identity, found, held, folder, options, device=device, seed=seed, reporter=reporter
        )
    details = _details(found, held, result, options)
    leave = {"consent_sha256": permission.sha256, "override": permission.override}
    with tempfile.TemporaryDirectory() as temporary:
        file, preview = Path(temporary) / FILE, Path(temporary) / PREVIEW
        write_identity(file, identity, own_network=bool(options.steps), details=details | leave)
        write_image(preview, _preview(identity))
        profile = store.create(name, {FILE: file, PREVIEW: preview}, permission, details,
                               force=force)  # fmt: skip
    return TrainReport(
        profile, len(found), sum(held), result.state.step, round(result.state.seconds, 1),
        result.state.history, tuple(skipped), tuple(warnings),
    )  # fmt: skip


def _key(files: Sequence[Path], options: TrainOptions, seed: int) -> str:
    """A name for this training: the same files go on where they were, also for longer."""
    told = [[str(f.resolve()), f.stat().st_size if f.exists() else 0] for f in files]
    text = json.dumps([told, options.stride, options.which, options.batch, seed])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _collect(
    files: list[Path], options: TrainOptions, skipped: list[Skipped], reporter: Reporter
) -> list[Found]:
    """The faces to train on, thinned so that memory stays bounded."""
    found: list[Found] = []
    thin = 1
    config = CollectConfig(stride=options.stride)
    for number, face in enumerate(
        collect(files, FaceFinder(), options.chooser, config, skipped, reporter)
    ):
        if number % thin == 0:
            found.append(face)
        if len(found) >= 2 * _MOST_FACES:
            found, thin = found[::2], thin * 2
    return found


def _described(network: FaceNetwork, found: Sequence[Found], references: int) -> Identity:
    """The identity before any training: nobody's vector, the face at rest, references."""
    sharp = np.array([f.sharpness for f in found], np.float32)
    quality = sharp / max(float(np.quantile(sharp, 0.9)), 1e-3)
    chosen = choose_varied(np.array([f.expression for f in found]), quality, references)
    return Identity(
        network,
        network.identities.weight[:1].detach().clone(),
        neutral_of([f.points for f in found]),
        [Reference.of(_native(found[i]), found[i].points) for i in chosen],
    )


def _native(found: Found) -> Image:
    """The crop no larger than its pixels were."""
    side = next((s for s in (128, 192) if found.size <= s), 256)
    size = round(side * (1 + 2 * MARGIN_SHARE))
    return np.asarray(cv2.resize(found.crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _fit(
    identity: Identity, found: Sequence[Found], held: Sequence[bool], folder: Path,
    options: TrainOptions, *, device: Device | str, seed: int, reporter: Reporter,
) -> FitResult:  # fmt: skip
    network = identity.network
    faces = _face_set(found, held, folder / "faces")
    people = np.array([row.person for row in faces.rows])
    free = np.flatnonzero((people == _PERSON) & ~np.array([r.held_out for r in faces.rows]))
    kept = np.flatnonzero((people == _PERSON) & np.array([r.held_out for r in faces.rows]))
    watched = kept if len(kept) else free
    watched = watched[np.linspace(0, len(watched) - 1, min(_WATCHED, len(watched))).astype(int)]
    pairs = Pairs(faces, {_PERSON: 0}, donors=np.flatnonzero(people == _DONOR))
    network.encoder.requires_grad_(False)  # shared by all: a code means the same to everybody

    def choose(random: np.random.Generator, count: int) -> NDArray[np.intp]:
        return np.asarray(random.choice(free, count), np.intp)

    task = FaceTask(
        network, pairs, choose, watched, TaskConfig(batch=options.batch),
        PairConfig(unreferenced=0.05, unnamed=0.0, crossed=0.3), load_discriminator()[0],
    )  # fmt: skip

    def on_look(averaged: nn.Module, state: FitState) -> None:
        for sort, batches in task.watched_batches().items():
            write_sheet(str(folder / f"{sort}.png"), averaged, batches)

    steps = options.steps if len(kept) else options.steps_without_proof(len(free))
    place = resolve_device(device)
    config = options.fit_config(seed, steps, place)
    result = fit(task, config, folder, device=place, reporter=reporter, on_look=on_look)
    network.cpu().load_state_dict(result.tensors)
    identity.vector.copy_(network.identities.weight[:1].detach().cpu())
    return result


def _face_set(found: Sequence[Found], held: Sequence[bool], folder: Path) -> FaceSet:
    """The person's faces, and the bundled composites as sources of crossed pairs."""
    writer = FaceSetWriter(folder)
    for face, out in zip(found, held, strict=True):
        seen = without_strands(face.crop, face.points, MARGIN_SHARE)
        small = cv2.resize(seen, (STORED, STORED), interpolation=cv2.INTER_AREA)
        row = Row(_PERSON, f"{face.source}#{face.index}", "speech", out)
        writer.add(np.asarray(small, np.uint8), face.points, row)
    for profile in identity_store().list():
        if profile.bundled:
            for number, reference in enumerate(load_identity(profile).references):
                row = Row(_DONOR, f"{profile.name}/{number}", "speech", False)
                small = cv2.resize(reference.crop, (STORED, STORED), interpolation=cv2.INTER_AREA)
                writer.add(as_image(small), reference.points, row)
    return writer.close()


def _details(
    found: Sequence[Found], held: Sequence[bool], result: FitResult, options: TrainOptions
) -> dict[str, Any]:
    history = result.state.history
    best = [h for h in history if h["step"] == result.state.best_step]
    return {
        "faces": len(found),
        "held_out": sum(held),
        "files": len({f.source for f in found}),
        "steps": result.state.step,
        "seconds": round(result.state.seconds),
        "best_step": result.state.best_step,
        "figures": {k: round(v, 4) for k, v in (best[0] if best else {}).items()},
        "options": asdict(options),
    }


def _preview(identity: Identity) -> Image:
    """Up to eight of the references side by side."""
    tiles = [
        cv2.resize(r.crop, (128, 128), interpolation=cv2.INTER_AREA)
        for r in identity.references[:8]
    ]
    return np.asarray(np.hstack(tiles), np.uint8)
