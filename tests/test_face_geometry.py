"""Detection, alignment, warping, colours, retargeting."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from face_samples import blank, frame, reference

from facesync import maps, mesh
from facesync.align import Similarity, align, crop, fit_similarity, template
from facesync.colour import SkinTone, face_colours, to_bgr, to_lab
from facesync.detect import FaceFinder
from facesync.retarget import Neutral, _set_gap, neutral_of, retarget
from facesync.warp import MeshSpline


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def test_a_face_is_found_where_it_is(finder):
    faces = finder.find(frame(at=(120, 130)))
    assert len(faces) == 1
    assert math.dist(faces[0].centre, (120, 130)) < 20
    assert faces[0].score > 0.9


def test_an_empty_picture_and_noise_show_no_face(finder):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    assert finder.find(blank()) == []
    assert finder.find(noise) == []


@pytest.mark.parametrize("angle", [-35, 20, 35])
def test_a_tilted_head_is_aligned_upright(finder, angle):
    face = finder.find(frame(angle=angle))[0]
    assert math.degrees(align(face.points).angle) == pytest.approx(-angle, abs=5)


def test_a_small_face_in_a_large_picture_is_found_in_tiles(finder):
    faces = finder.find(frame(1280, 720, at=(900, 300), size=70))
    assert len(faces) == 1
    assert math.dist(faces[0].centre, (900, 300)) < 15


def test_two_faces_come_largest_first(finder):
    both = frame(480, 240, at=(120, 120), size=170)
    both = frame(480, 240, at=(360, 120), size=120, name="nobody-b", onto=both)
    faces = finder.find(both)
    assert [round(f.centre[0] / 120) for f in faces] == [1, 3]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (161, 121)])
def test_odd_shapes_do_no_harm(finder, shape):
    assert finder.find(np.zeros((*shape, 3), np.uint8)) == []


def test_a_similarity_is_recovered():
    known = Similarity(math.log(0.01), 0.3, (0.2, 0.4))
    inverse = cv2.invertAffineTransform(known.matrix)
    pixels = (template()[:, :2] @ inverse[:, :2].T + inverse[:, 2]).astype(np.float32)
    fitted = fit_similarity(pixels, template())
    assert fitted.log_scale == pytest.approx(known.log_scale, abs=1e-4)
    assert fitted.angle == pytest.approx(known.angle, abs=1e-4)
    assert np.allclose(fitted.apply(pixels), template()[:, :2], atol=1e-4)


def test_speech_does_not_move_the_alignment():
    points = template().copy() * 100
    spoken = points.copy()
    spoken[list(mesh.INNER_LOWER_LIP + mesh.CHIN), 1] += 8
    assert align(spoken) == align(points)


def test_the_crop_shows_what_the_mesh_says(finder):
    picture = frame()
    face = finder.find(picture)[0]
    similarity = align(face.points)
    again = finder.find(cv2.copyMakeBorder(crop(picture, similarity, 256), *[64] * 4, 1))[0]
    assert np.abs(again.points[:, :2] - 64 - similarity.apply(face.points)[:, :2] * 256).mean() < 3


def test_a_warp_onto_the_same_mesh_changes_nothing():
    still = reference()
    same = MeshSpline(still.points).warp(still.points)(still.crop, 256, still.margin)
    inner = still.crop[still.margin : -still.margin, still.margin : -still.margin]
    assert np.abs(same.astype(int) - inner).mean() < 1


def test_a_warp_brings_each_point_to_its_place():
    moved = reference().points.copy()
    moved[list(mesh.CHIN), 1] += 0.05
    places = MeshSpline(moved).warp(reference().points).places(256)
    x, y = (moved[175, :2] * 256).astype(int)
    assert np.allclose(places[y, x], reference().points[175, :2], atol=0.02)


def test_lab_there_and_back():
    picture = frame()
    assert np.abs(to_bgr(to_lab(picture)) - picture).max() < 1
    tone = SkinTone(np.float32([50, 10, 10]), np.float32([9, 4, 4]))
    lab = to_lab(picture)
    assert np.allclose(tone.restore(tone.standardise(lab)), lab, atol=20)


def test_hair_that_hangs_in_is_not_face():
    still = reference()
    size = still.crop.shape[0]
    points = (still.points[:, :2] + 1 / 16) / (1 + 1 / 8)
    haired = still.crop.copy()
    haired[: size // 5, size // 3 : size // 2] = 5
    clean, hidden = (face_colours(c, points).area for c in (still.crop, haired))
    assert hidden[size // 8 : size // 6, size // 3 + 4 : size // 2 - 4].mean() < 30
    assert clean.sum() > hidden.sum()


def test_glare_that_reaches_the_border_is_face():
    still = reference()
    size = still.crop.shape[0]
    points = (still.points[:, :2] + 1 / 16) / (1 + 1 / 8)
    spot = np.s_[: size // 5, size // 3 : size // 2]
    plain = face_colours(still.crop, points).area[spot].mean()
    for change, share in ((24, 1.0), (-60, 0.5)):  # glare, and something dark
        lab = to_lab(still.crop)
        lab[spot][..., 0] += change
        area = face_colours(np.uint8(to_bgr(lab)), points).area[spot].mean()
        assert area == plain if share == 1 else area < share * plain


def test_openings_follow_the_mouth():
    shut = reference().points
    wide = shut.copy()
    wide[list(mesh.INNER_LOWER_LIP[1:-1]), 1] += 0.08
    assert maps.openings(wide)[2] > maps.openings(shut)[2] + 0.1
    assert maps.draw_maps(wide, 64)[2].sum() > maps.draw_maps(shut, 64)[2].sum()


def test_an_expression_is_moved_to_another_shape():
    own = neutral_of([reference().points])
    other = Neutral(own.points + (own.points - 0.5) * np.float32([0.05, 0, 0]), own.open_eyes * 0.8)
    blinking = own.points.copy()
    blinking[list(mesh.LEFT_UPPER_LID[1:-1]), 1] = own.points[list(mesh.LEFT_LOWER_LID[1:-1]), 1]
    moved = retarget(blinking, own, other)
    assert maps.openings(moved)[1] < 0.02
    assert maps.openings(moved)[0] > 0.1
    assert np.allclose(moved[mesh.OVAL[0]], other.points[mesh.OVAL[0]], atol=0.01)


def test_how_somebody_holds_the_head_is_not_moved_along():
    own = neutral_of([reference().points])
    angle = math.radians(12)
    nod = np.array([[1, 0, 0], [0, math.cos(angle), -math.sin(angle)],
                    [0, math.sin(angle), math.cos(angle)]])  # fmt: skip
    middle = own.points[mesh.STEADY].mean(0)
    nodding = Neutral(((own.points - middle) @ nod.T + middle).astype(np.float32), own.open_eyes)
    moved = retarget(own.points, own, nodding)
    gap = np.abs(moved - own.points)[mesh.STEADY].mean()
    assert gap < 0.2 * np.abs(nodding.points - own.points)[mesh.STEADY].mean()


def test_lips_that_the_mesh_sees_apart_though_they_meet_are_shut():
    own = reference()
    shapes = []
    for gap in np.tile([0.014, 0.03, 0.05], 10):
        shape = own.points.copy()
        _set_gap(shape, mesh.INNER_UPPER_LIP, mesh.INNER_LOWER_LIP, gap)
        shapes.append(shape)
    source = neutral_of(shapes)
    assert 0.005 < source.misread <= 0.01
    shut, wide = (
        maps.openings(retarget(shapes[k], source, neutral_of([own.points])))[2] for k in (0, 2)
    )
    assert shut < 0.75 * maps.openings(shapes[0])[2]
    assert wide > 0.8 * maps.openings(shapes[2])[2]
    assert neutral_of(shapes[:9]).misread == 0  # too few to tell from a smile


@pytest.mark.parametrize("corner", [(0, 0), (301, 203), (-150, -90)])
def test_a_large_face_is_made_smaller_where_it_is(corner):
    across = np.rint(np.arange(900) / 4).astype(np.uint8)
    ramp = np.repeat(np.tile(across, (700, 1))[..., None], 3, 2)
    side, scale = 64, 7.3  # pixels of the picture to one of the crop
    place = Similarity(-math.log(scale * side), 0.0, tuple(-c / (scale * side) for c in corner))
    x = (np.arange(side) + 0.5) * scale + corner[0] - 0.5
    seen = crop(ramp, place, side)[20, :, 0]
    inside = (x > 10) & (x < 880)
    assert np.abs(seen - x / 4)[inside].max() < 1.1  # rounded twice
    assert abs((seen - x / 4)[inside].mean()) < 0.25  # a pixel of the picture
