"""Crops and meshes of all training faces, made once with the toolkit's own detector."""

from __future__ import annotations

from pathlib import Path

from facesync.align import align, crop
from facesync.dataset import MARGIN, SIDE, FaceSet, FaceSetWriter, Row
from facesync.detect import Face, FaceFinder
from recipes.base_face.sources import Source, frames
from voicefake.common.progress import Reporter


def prepare(sources: list[Source], folder: Path, reporter: Reporter) -> FaceSet:
    """Write a face set of ``sources`` to ``folder``: the largest face of each frame."""
    finder = FaceFinder()
    writer = FaceSetWriter(folder)
    bar = reporter.stage("faces", len(sources))
    for source in sources:
        row = Row(source.person, source.group, source.expression, source.held_out)
        face: Face | None = None
        for _, image in frames(source):
            face = face and finder.mesh(image, face.region())
            if face is None:
                face = next(iter(finder.find(image)), None)
            if face is not None:
                similarity = align(face.points)
                writer.add(
                    crop(image, similarity, SIDE, MARGIN / SIDE),
                    similarity.apply(face.points),
                    row,
                )
        bar.advance()
    return writer.close()
