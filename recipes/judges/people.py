"""The people of a data folder as a gallery of faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.evaluate.faces import FaceIdentity, picture_files
from recipes.evaluate.gallery import Gallery, Person, embed_frames, person_of
from recipes.evaluate.media import Image, read_pictures
from recipes.judges.corpus import Corpus

CLIPS_EACH = 10


def known_people(data: Path, kept: Path | None, identity: FaceIdentity) -> Gallery:
    """Everybody of a data folder; ``kept`` is an archive that saves the next run the work."""
    if kept and kept.is_file():
        return Gallery.load(kept)
    gallery = build_gallery(data, identity)
    if kept:
        gallery.save(kept)
    return gallery


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
