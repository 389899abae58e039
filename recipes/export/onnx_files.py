"""Networks written as ONNX and compared with torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from recipes.export.graphs import Graph, face_graphs, voice_graphs
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import atomic_path
from voicefake.common.hashes import sha256_of
from voicefake.common.marks.story import software_version
from voicefake.common.profiles import Profile
from voicefake.common.progress import Reporter, Silent

OPSET = 18
TOLERANCE = 1e-4
"""Largest difference to torch, as a share of the largest value of the output."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        difference: to torch, see ``TOLERANCE``.
        licence: of the person's material.
        consent_sha256: hash of their consent record, or empty.
        override: the reason given in place of a record.
    """

    file: str
    does: str
    inputs: dict[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]
    sha256: str
    difference: float
    person: str = ""
    licence: str = ""
    consent_sha256: str = ""
    override: str | None = None


def export_onnx(
    folder: Path,
    *,
    voice: str | None = None,
    face: str | None = None,
    reporter: Reporter | None = None,
    force: bool = False,
) -> list[Exported]:
    """Write the networks of a speaker and of an identity into ``folder``, with ``export.json``.

    Each file is run by onnxruntime on inputs of another length than it was made with, and must
    give what torch gives.

    Raises:
        WrongUse: neither is named, somebody is unknown, or a file exists.
        Refused: somebody's consent does not hold.
        BadInput: a file does not give what torch gives.
    """
    if voice is None and face is None:
        raise WrongUse("--voice", "and --face are missing", "name one of them, or both")
    graphs: list[Graph] = []
    if voice is not None:
        graphs += voice_graphs(_person(voice, is_voice=True))
    if face is not None:
        graphs += face_graphs(_person(face, is_voice=False))
    bar = (reporter or Silent()).stage("exporting", len(graphs))
    written = []
    for graph in graphs:
        written.append(write_graph(graph, folder / f"{graph.name}.onnx", force=force))
        bar.advance()
    _describe(folder / "export.json", written)
    return written


def _person(name: str, *, is_voice: bool) -> Profile:
    from facesync.store import identity_store
    from voicefake.speakers import speaker_store

    profile = (speaker_store() if is_voice else identity_store()).find(name)
    profile.require_use()
    return profile


def write_graph(graph: Graph, path: Path, *, force: bool) -> Exported:
    """Write one network.

    Raises:
        BadInput: it does not give what torch gives.
        WrongUse: the file exists.
    """
    import onnx

    told: dict[str, Any] = {}
    if graph.profile is not None:
        person = graph.profile.person()
        told = {
            "person": person.name, "licence": person.licence,
            "consent_sha256": person.consent_sha256, "override": person.override,
        }  # fmt: skip
    with atomic_path(path, force=force) as temporary:
        _export(graph, temporary)
        model = onnx.load(str(temporary))
        model.producer_name, model.producer_version = "voicefake", software_version()
        onnx.helper.set_model_props(model, {k: v or "" for k, v in told.items()})
        onnx.checker.check_model(model)
        onnx.save(model, str(temporary))
        difference = compare(graph, temporary)
        if not difference <= TOLERANCE:
            raise BadInput(path, f"differs from torch by {difference:.1e}", "report it")
        digest = sha256_of(temporary)
    return Exported(
        path.name, graph.does, dict(graph.inputs), graph.outputs, digest, difference, **told
    )


def _export(graph: Graph, path: Path) -> None:
    """By the TorchScript exporter: it needs nothing but onnx, and a tenth of the other's time."""
    example = graph.example(50, 2)
    shapes = {
        name: {i: n for i, n in enumerate(shape) if isinstance(n, str)}
        for name, shape in graph.inputs.items()
    }
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module.eval(),
            tuple(example.values()),
            str(path),
            input_names=list(example),
            output_names=list(graph.outputs),
            dynamic_axes={name: axes for name, axes in shapes.items() if axes},
            opset_version=OPSET,
            dynamo=False,
        )


def compare(graph: Graph, path: Path) -> float:
    """Largest difference between ``path`` in onnxruntime and torch, as ``TOLERANCE`` counts."""
    session = open_session(path)
    worst = 0.0
    for frames, faces in ((37, 1), (81, 3)):
        example = graph.example(frames, faces)
        with torch.inference_mode():
            expected = graph.module(*example.values())
        tensors = expected if isinstance(expected, tuple) else (expected,)
        given = {name: tensor.numpy() for name, tensor in example.items()}
        for mine, theirs in zip(session.run(None, given), tensors, strict=True):
            scale = float(theirs.abs().max())
            worst = max(worst, float(np.abs(mine - theirs.numpy()).max()) / scale)
    return worst


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """The file at ``path`` on the processor."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _describe(path: Path, written: Sequence[Exported]) -> None:
    document = {
        "software": {"name": "voicefake", "version": software_version()},
        "opset": OPSET,
        "tolerance": TOLERANCE,
        "graphs": [asdict(item) for item in written],
    }
    with atomic_path(path, force=True) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
