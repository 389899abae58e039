"""Following one face through a video and holding it still.

Frames pass through a window of bounded length, so that every frame is smoothed from both
sides without lag: pose by a local line whose reach shrinks as the head moves faster (the
idea of the One-Euro filter, Casiez et al. 2012, made symmetric), the mesh by a little.
A gap of a few frames is filled from both sides; a cut begins anew.
"""

from __future__ import annotations

import functools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from facesync import mesh
from facesync.align import Similarity, align, template
from facesync.arrays import Float, Image, Matrix, Points, as_float
from facesync.choose import Chooser, same_person
from facesync.detect import Face, FaceFinder
from facesync.retarget import Neutral, neutral_of

_COARSE = 24  # pixels
_AROUND_EYES = 0.03  # of the crop's side: what blinks move
_BELOW_NOSE = 2  # point of the mesh
_STIRRING = 2  # frames to both sides


class HasImage(Protocol):
    """Anything with a picture, such as a frame of a video."""

    @property
    def image(self) -> Image:
        """(H, W, 3) BGR."""


FrameT = TypeVar("FrameT", bound=HasImage)


@dataclass(frozen=True)
class Calm:
    """How a part of the mesh is smoothed over time, on both sides and so without lag.

    What trembles in the mesh flickers in the picture, and what is smoothed moves less: what
    stirs is hardly smoothed, also where it turns back, as a mouth at its widest.

    Attributes:
        moving, still: reach in frames (standard deviation) while it moves, and while it rests.
        stir: spread over five frames, in crop sides, at which the reach is in the middle.
    """

    moving: float
    still: float
    stir: float

    def reach(self, spread: float) -> float:
        """In frames, for what has spread by ``spread``."""
        return self.moving + (self.still - self.moving) / (1 + (spread / self.stir) ** 2)


_BY_ITSELF = Calm(0.0, 0.0, 1.0)


@dataclass(frozen=True)
class TrackConfig:
    """How a face is followed.

    Attributes:
        window: frames that are looked ahead at most; fewer for large pictures.
        window_bytes: what the frames in the window may take.
        reach: of the smoothing of a still head, in frames (standard deviation).
        fast: motion per frame, in crop sides, at which the reach is halved.
        lids, mouth, rest: how calm the mesh is held: of the lids, of mouth and jaw, and of all
            that moves slowly.
        gap: frames without a face that are filled.
        look_again: frames after which the detector checks the track.
        look_closely: frames after which a face that is not there is looked for thoroughly,
            and the chooser is asked again.
        alone: every picture is looked at by itself.
        cut: mean difference of thumbnails, of 255, that counts as a cut.
        sudden: the same of aligned faces, from which on somebody else may stand there: where
            people of GRID talk it is 3 at most, between two of them 35 at least.
    """

    window: int = 48
    window_bytes: int = 200_000_000
    reach: float = 2.5
    fast: float = 0.006
    lids: Calm = Calm(0.4, 1.5, 0.0012)
    mouth: Calm = Calm(0.4, 1.5, 0.002)
    rest: Calm = Calm(1.2, 3.0, 0.002)
    gap: int = 6
    look_again: int = 25
    look_closely: int = 6
    alone: bool = False
    cut: float = 28.0
    sudden: float = 8.0

    @staticmethod
    def apart() -> TrackConfig:
        """For pictures that do not follow each other: nothing is smoothed or filled."""
        return TrackConfig(
            reach=0.0, lids=_BY_ITSELF, mouth=_BY_ITSELF, rest=_BY_ITSELF, gap=0, alone=True
        )

    def frames_ahead(self, image: Image) -> int:
        """How many frames like ``image`` may wait."""
        return max(2, min(self.window, self.window_bytes // image.nbytes))


@dataclass(frozen=True)
class Tracked:
    """A face in one frame.

    Attributes:
        similarity: from the picture to the unit crop, smoothed.
        points: (468, 3) mesh in the unit crop, lightly smoothed.
        neutral: how this face looks at rest, from the frames around.
        take: number of the uninterrupted stretch; the face or the view changes between two.
        filled: the face was not seen here; it was filled in from both sides.
    """

    similarity: Similarity
    points: Points
    neutral: Neutral
    take: int
    filled: bool = False


@dataclass
class _Seen:
    """What was seen in one frame: its pose (log scale, angle, x, y) and shape, if any."""

    take: int
    pose: Matrix | None = None
    shape: Points | None = None


@dataclass(frozen=True)
class _Look:
    """A face in a picture, how it lies, and its aligned look, coarsely."""

    image: Image
    face: Face
    similarity: Similarity
    coarse: Float

    @staticmethod
    def of(image: Image, face: Face) -> _Look:
        similarity = align(face.points)
        to_crop, size = similarity.pixels(_COARSE), (_COARSE, _COARSE)
        coarse = cv2.warpAffine(image, to_crop, size, borderMode=cv2.BORDER_REPLICATE)
        return _Look(image, face, similarity, as_float(coarse))

    def is_other(self, before: _Look, sudden: float) -> bool:
        """Whether somebody else stands where somebody stood ``before``."""
        if float(np.abs(self.coarse - before.coarse).mean()) < sudden:
            return False
        return not same_person(self.image, self.face, before.image, before.face)


@dataclass
class _Waiting(Generic[FrameT]):
    frame: FrameT
    seen: _Seen


@dataclass
class FaceTracker:
    """Follows the face that ``choose`` picks. One tracker per video."""

    finder: FaceFinder
    choose: Chooser
    config: TrackConfig = field(default_factory=TrackConfig)
    _face: Face | None = None
    _thumbnail: Float | None = None
    _last: _Look | None = None
    _since_look: int = 0
    _since_seen: int = 0
    _declined: int = 0
    _take: int = 0

    def follow(self, frames: Iterable[FrameT]) -> Iterator[tuple[FrameT, Tracked | None]]:
        """Each frame with its face (``None``: there is none), in order, with some delay."""
        past: deque[_Seen] = deque(maxlen=self._side())
        ahead: deque[_Waiting[FrameT]] = deque()
        neutrals: dict[int, Neutral] = {}
        for frame in frames:
            ahead.append(_Waiting(frame, self._look(frame.image)))
            if len(ahead) > self.config.frames_ahead(frame.image):
                yield self._leave(past, ahead, neutrals)
        while ahead:
            yield self._leave(past, ahead, neutrals)

    def _look(self, image: Image) -> _Seen:
        cut = not self.config.alone and self._is_cut(image)
        if cut or self.config.alone:
            self._forget()
            self._take += cut
        before = self._face
        face = self._again(image, before) if before else None
        if face is None:
            face = self._first(image, before)
        now = _Look.of(image, face) if face else None
        if now and self._last and now.is_other(self._last, self.config.sudden):
            self._forget()  # a cut that the whole picture does not show
            self._take += 1
            face = self._first(image, None)
            now = _Look.of(image, face) if face else None
        if face is None or now is None:
            self._face = None
            self._since_seen += 1
            return _Seen(self._take)
        if self._since_seen > self.config.gap or (before and _jumped(before, face)):
            self._take += 1
        self._face, self._since_seen = face, 0
        self._last = now
        return _Seen(self._take, _pose(now.similarity), now.similarity.apply(face.points))

    def _forget(self) -> None:
        """Begin anew."""
        self._face = self._last = None
        self._since_seen = self._declined = 0

    def _again(self, image: Image, before: Face) -> Face | None:
        """The same face, looked for where it was."""
        face = self.finder.mesh(image, before.region())
        self._since_look += 1
        if face and (self._since_look >= self.config.look_again or face.score < 0.8):
            self._since_look = 0
            near = [
                box for box in self.finder.boxes(image)
                if math.dist(box.centre, face.centre) < 0.5 * face.size
            ]  # fmt: skip
            if not near and face.score < 0.9:
                return None
        return face

    def _first(self, image: Image, before: Face | None) -> Face | None:
        thorough = self._since_seen % self.config.look_closely == 0
        faces = self.finder.find(image, thorough=thorough)
        self._since_look = 0
        if not faces:
            return None
        if before:
            near = [f for f in faces if not _jumped(before, f)]
            if near:
                return min(near, key=lambda f: math.dist(f.centre, before.centre))
        return self._chosen(faces, image)

    def _chosen(self, faces: Sequence[Face], image: Image) -> Face | None:
        """Ask who is meant; after a no, not again for some frames, for asking may be slow."""
        if self._declined:
            self._declined -= 1
            return None
        face = self.choose(faces, image)
        self._declined = 0 if face else self.config.look_closely - 1
        return face

    def _is_cut(self, image: Image) -> bool:
        step = max(1, min(image.shape[:2]) // 96)
        small = cv2.resize(image[::step, ::step], (32, 24), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        before, self._thumbnail = self._thumbnail, small
        return before is not None and float(np.abs(small - before).mean()) > self.config.cut

    def _side(self) -> int:
        return max(2, math.ceil(3 * self.config.reach))

    def _leave(
        self,
        past: deque[_Seen],
        ahead: deque[_Waiting[FrameT]],
        neutrals: dict[int, Neutral],
    ) -> tuple[FrameT, Tracked | None]:
        seen = ahead[0].seen
        window = [*past, *(waiting.seen for waiting in list(ahead)[: self._side() + 1])]
        tracked = self._smoothed(window, len(past), ahead, neutrals)
        past.append(seen)
        return ahead.popleft().frame, tracked

    def _smoothed(
        self,
        window: list[_Seen],
        here: int,
        ahead: deque[_Waiting[FrameT]],
        neutrals: dict[int, Neutral],
    ) -> Tracked | None:
        take = window[here].take
        times, poses, shapes = [], [], []
        for index, seen in enumerate(window):
            if seen.take == take and seen.pose is not None and seen.shape is not None:
                times.append(index - here)
                poses.append(seen.pose)
                shapes.append(seen.shape)
        if not times:
            return None
        filled = 0 not in times
        if filled and not self._may_fill(times):
            return None
        time, pose = np.array(times, np.float64), np.array(poses)
        if take not in neutrals:
            neutrals.clear()
            neutrals[take] = neutral_of(
                [w.seen.shape for w in ahead if w.seen.take == take and w.seen.shape is not None]
                or shapes
            )
        reach = self.config.reach / (1 + _speed(time, pose) / self.config.fast)
        smooth = _similarity(_local_line(time, pose, reach))
        points = self._calm(time, np.array(shapes))
        return Tracked(smooth, points, neutrals[take], take, filled)

    def _calm(self, time: Matrix, shapes: Points) -> Points:
        """(468, 3) at time 0 of the meshes (T, 468, 3), each part as fast as it moves."""
        calm = np.empty(shapes.shape[1:], np.float32)
        how = (self.config.lids, self.config.mouth, self.config.rest)
        near = shapes[np.abs(time) <= _STIRRING]
        for part, held in zip(_parts(), how, strict=True):
            reach = held.reach(_spread(near[:, part, :2]))
            values = shapes[:, part].reshape(len(shapes), -1)
            calm[part] = _local_line(time, values, reach).reshape(-1, 3)
        return calm

    def _may_fill(self, times: list[int]) -> bool:
        before = [t for t in times if t < 0]
        after = [t for t in times if t > 0]
        return bool(before and after) and min(after) - max(before) <= self.config.gap + 1


@functools.cache
def _parts() -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """(468,) each: the lids, mouth and jaw, the rest."""
    points = template()[:, :2]
    eyes = points[[*mesh.RIGHT_EYE, *mesh.LEFT_EYE]]
    near = np.linalg.norm(points[:, None] - eyes, axis=-1).min(1)
    lids = near < _AROUND_EYES
    mouth = (points[:, 1] > points[_BELOW_NOSE, 1] - 0.01) & ~lids
    return lids, mouth, ~lids & ~mouth


def _jumped(before: Face, now: Face) -> bool:
    far = math.dist(before.centre, now.centre) > 0.5 * max(before.size, now.size)
    return far or not 0.6 < now.size / before.size < 1.7


def _pose(similarity: Similarity) -> Matrix:
    """(log scale, angle, x, y of the crop's middle in the picture)."""
    inverse = cv2.invertAffineTransform(similarity.matrix)
    middle = inverse[:, :2] @ np.array([0.5, 0.5]) + inverse[:, 2]
    return np.array([similarity.log_scale, similarity.angle, *middle])


def _similarity(pose: Matrix) -> Similarity:
    log_scale, angle, x, y = (float(v) for v in pose)
    c, s = math.exp(log_scale) * math.cos(angle), math.exp(log_scale) * math.sin(angle)
    return Similarity(log_scale, angle, (0.5 - c * x + s * y, 0.5 - s * x - c * y))


def _speed(time: Matrix, pose: Matrix) -> float:
    """Motion per frame around now, in crop sides: shift, turn and zoom together."""
    near = np.abs(time) <= 2
    if near.sum() < 2:
        return 0.0
    scale = math.exp(float(pose[:, 0].mean()))
    line = np.polyfit(time[near], pose[near], 1)[0]
    return float(np.hypot(line[2], line[3]) * scale + abs(line[1]) * 0.5 + abs(line[0]) * 0.5)


def _spread(places: Points) -> float:
    """How far (T, N, 2) points are from their means over time; far where there is no telling."""
    return float(np.sqrt(places.var(0).sum(1).mean())) if len(places) > 2 else math.inf


def _local_line(time: Matrix, values: NDArray[np.generic], reach: float) -> Matrix:
    """The value at time 0 of the line that fits best nearby (weights: a Gaussian)."""
    nearest = np.abs(time).min()
    weights = np.exp(-0.5 * (time / max(reach, 0.75 * nearest, 1e-3)) ** 2)
    weights /= weights.sum()
    mean_time = float(weights @ time)
    centred = time - mean_time
    variance = float(weights @ centred**2)
    mean = weights @ values
    if variance < 1e-9:
        return np.asarray(mean)
    slope = (weights * centred) @ values / variance
    # Without one of the two sides a line runs away; lean on the mean there.
    trust = min(1.0, variance / (variance + mean_time**2 * 4))
    return np.asarray(mean - trust * slope * mean_time)
