"""Everybody whose face a judge knows, by the means of their dlib embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.evaluate.faces import Embedding, FaceIdentity
from recipes.evaluate.media import Image, read_pictures
from voicefake.common.errors import BadInput

FRAMES_EACH = (10, 37, 64)


@dataclass(frozen=True)
class Person:
    """One known face.

    Attributes:
        name: as in the data lists, ``london-NNN`` for the London set.
        centre: mean dlib embedding ``(128,)``.
        own: mean distance of one recording's embeddings to the centre of the *other* recordings
            (nan with one recording).
    """

    name: str
    centre: Embedding
    own: float

    @classmethod
    def of(cls, name: str, recordings: Sequence[Sequence[Embedding]]) -> Person:
        """The person of one or more recordings, each with one or more embeddings."""
        centres = np.array([np.mean(recording, axis=0) for recording in recordings])
        own = []
        if len(recordings) > 1:
            for i, recording in enumerate(recordings):
                others = np.delete(centres, i, axis=0).mean(axis=0)
                own += [float(np.linalg.norm(face - others)) for face in recording]
        return cls(name, centres.mean(axis=0), float(np.mean(own)) if own else float("nan"))


class Gallery:
    """Known people by name."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = {person.name: person for person in people}
        self._centres = np.array([person.centre for person in people])

    def distances(self, face: Embedding) -> dict[str, float]:
        """Euclidean distance of an embedding ``(128,)`` to everybody's centre."""
        distances = np.linalg.norm(self._centres - face, axis=1)
        return dict(zip(self.people, distances.tolist(), strict=True))

    def nearest(self, face: Embedding) -> str:
        """Who of everybody is nearest to an embedding."""
        distances = self.distances(face)
        return min(distances, key=lambda name: distances[name])

    def margin(self, face: Embedding, name: str) -> float:
        """Distance to the nearest other person less that to ``name``."""
        distances = self.distances(face)
        return min(d for other, d in distances.items() if other != name) - distances[name]

    def with_person(self, person: Person) -> Gallery:
        """A gallery that knows one more person (or knows one anew)."""
        return Gallery([p for p in self.people.values() if p.name != person.name] + [person])

    def save(self, path: Path) -> None:
        """Write it as numpy archive, so that the next run need not embed everybody again."""
        own = np.array([person.own for person in self.people.values()])
        np.savez(path, names=np.array(list(self.people)), centres=self._centres, own=own)

    @classmethod
    def load(cls, path: Path) -> Gallery:
        """Read what `save` wrote (no pickled objects)."""
        with np.load(path, allow_pickle=False) as file:
            rows = zip(file["names"], file["centres"], file["own"], strict=True)
            return cls([Person(str(name), centre, float(own)) for name, centre, own in rows])


def person_of(name: str, files: Sequence[Path], identity: FaceIdentity) -> Person:
    """The person in videos (three frames of each) or pictures.

    Raises:
        BadInput: no face was found in any of them.
    """
    recordings = [embed_frames(_spread(read_pictures(path).frames), identity) for path in files]
    recordings = [recording for recording in recordings if recording]
    if not recordings:
        raise BadInput(name, f"has no face in {len(files)} files", "give others")
    return Person.of(name, recordings)


def embed_frames(frames: Sequence[Image], identity: FaceIdentity) -> list[Embedding]:
    """Embeddings of the frames in which a face is found."""
    found = [identity.embed(frame) for frame in frames]
    return [face for face in found if face is not None]


def _spread(frames: Sequence[Image]) -> list[Image]:
    return [frames[i] for i in FRAMES_EACH] if len(frames) > max(FRAMES_EACH) else [frames[0]]
