"""Everybody whose face the judges know: dlib centroids of all people in the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.judges.corpus import Corpus
from recipes.judges.faces import Embedding, FaceIdentity, picture_files
from recipes.judges.media import Image, Unreadable, read_pictures

CLIPS_EACH = 10
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


def build_gallery(data: Path, identity: FaceIdentity) -> Gallery:
    """Embed the GRID talkers, the cropped talkers and the London faces of a data folder.

    Up to ten clips with three frames of each talker; crops: one picture in 15 of each sentence;
    London: the neutral and the smiling picture.
    """
    corpus = Corpus(data)
    talkers = dict.fromkeys(clip.speaker for clip in corpus.clips if clip.path.suffix == ".mpg")
    people = []
    for talker in talkers:
        videos = [c.path for c in corpus.clips if c.speaker == talker and c.path.suffix == ".mpg"]
        step = max(1, len(videos) // CLIPS_EACH)
        people.append(person_of(talker, videos[::step][:CLIPS_EACH], identity))
    for folder in sorted(path for path in (data / "faces" / "grid_crops").iterdir()):
        if folder.is_dir():
            sentences = [picture_files(path)[::15] for path in sorted(folder.iterdir())]
            people += _person_of_pictures(folder.name, [s for s in sentences if s], identity)
    london: dict[str, list[list[Path]]] = {}
    for kind in ("neutral_front", "smiling_front"):
        for path in picture_files(data / "faces" / "london" / kind):
            london.setdefault(path.stem.split("_")[0], []).append([path])
    for number, pictures in london.items():
        people += _person_of_pictures(f"london-{number}", pictures, identity)
    return Gallery(people)


def person_of(name: str, files: Sequence[Path], identity: FaceIdentity) -> Person:
    """The person in videos (three frames of each) or pictures.

    Raises:
        Unreadable: no face was found in any of them.
    """
    recordings = [embed_frames(_spread(read_pictures(path).frames), identity) for path in files]
    recordings = [recording for recording in recordings if recording]
    if not recordings:
        raise Unreadable(f"{name}: no face found in {len(files)} files")
    return Person.of(name, recordings)


def embed_frames(frames: Sequence[Image], identity: FaceIdentity) -> list[Embedding]:
    """Embeddings of the frames in which a face is found."""
    found = [identity.embed(frame) for frame in frames]
    return [face for face in found if face is not None]


def _spread(frames: Sequence[Image]) -> list[Image]:
    return [frames[i] for i in FRAMES_EACH] if len(frames) > max(FRAMES_EACH) else [frames[0]]


def _person_of_pictures(
    name: str, recordings: Sequence[Sequence[Path]], identity: FaceIdentity
) -> list[Person]:
    embedded = []
    for recording in recordings:
        pictures = [_padded(read_pictures(path).frames[0]) for path in recording]
        embedded.append(embed_frames(pictures, identity))
    embedded = [faces for faces in embedded if faces]
    return [Person.of(name, embedded)] if embedded else []


def _padded(image: Image) -> Image:
    """Dlib misses faces that fill the picture: tight crops get a margin."""
    import cv2

    if max(image.shape[:2]) < 200:
        margin = image.shape[0] // 3
        image = np.asarray(
            cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_REPLICATE),
            np.uint8,
        )
    return image
