"""How far labels and predictions disagree: hand calculations, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.learn.training.tiny import discs

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.learn.noisy.rank import Doubt, doubts, foreground_of, image_doubt
from microtome.measure.metrics.matching import overlaps


def share_of(pixels):
    return ScoreMap(np.asarray(pixels, np.float32)[..., None], axes="yxc", layers=("foreground",))


def test_of_a_model_that_is_certain_it_is_one_less_the_iou():
    truth = discs(3)[1]
    moved = InstanceMap(np.roll(truth.pixels, 2, axis=0))
    found = {one.label: one for one in doubts(moved, truth) if one.kind == "outline"}
    pairs = overlaps(moved.pixels, truth.pixels)
    best = {int(t): max(iou for k, iou in zip(pairs.truth, pairs.iou, strict=True) if pairs.truth_ids[k] == t) for t in pairs.truth_ids}
    assert found
    for label, one in found.items():
        assert one.disagreement == pytest.approx(1 - best[label], abs=1e-5)


def test_doubts_of_the_model_itself_count_less():
    """Two pixels labelled, none found; the model gives them 0.4 and 0.2 of foreground."""
    labels, found = InstanceMap(np.array([[7, 7, 0]])), InstanceMap(np.zeros((1, 3), int))
    (one,) = doubts(found, labels, share_of([[0.4, 0.2, 0.0]]))
    assert (one.kind, one.label, one.found) == ("not found", 7, 0)
    assert one.disagreement == pytest.approx((0.6 + 0.8) / 2)


def test_an_object_beside_the_labels_counts_with_its_probability():
    labels, found = InstanceMap(np.zeros((1, 3), int)), InstanceMap(np.array([[0, 2, 2]]))
    (one,) = doubts(found, labels, share_of([[0.1, 0.9, 0.7]]))
    assert (one.kind, one.label, one.found, one.area, one.box) == ("not labelled", 0, 2, 2, (0, 1, 1, 3))
    assert one.disagreement == pytest.approx(0.8)


def test_one_label_over_two_objects_is_split_and_two_labels_in_one_are_merged():
    two = InstanceMap(np.array([[1, 1, 1, 2, 2, 2]]))
    whole = InstanceMap(np.array([[5, 5, 5, 5, 5, 5]]))
    assert [(one.kind, one.disagreement) for one in doubts(two, whole)] == [("split", 0.5)]  # although a half is matched
    three = InstanceMap(np.array([[1, 1, 2, 2, 3, 3]]))
    assert [one.kind for one in doubts(three, whole)] == ["split"]
    assert {one.kind for one in doubts(whole, three)} == {"merged"}


def test_moved_so_far_that_nothing_matches_it_is_still_one_object_with_another_outline():
    labels, found = InstanceMap(np.array([[1, 1, 1, 1, 0, 0]])), InstanceMap(np.array([[0, 0, 3, 3, 3, 3]]))
    (one,) = doubts(found, labels)
    assert (one.kind, one.label, one.found) == ("outline", 1, 3)
    assert one.disagreement == pytest.approx(1 - 2 / 6, abs=1e-5)


@given(st.integers(0, 50), st.integers(0, 50))
def test_numbers_of_objects_do_not_matter(seed, other):
    truth, found = discs(seed)[1], discs(other)[1]
    names = np.concatenate([[0], np.random.default_rng(seed).permutation(200)[:50] + 1])
    plain = [(one.kind, one.disagreement, one.place) for one in doubts(found, truth)]
    renamed = [
        (one.kind, one.disagreement, one.place)
        for one in doubts(found.with_pixels(names[found.pixels]), truth.with_pixels(names[truth.pixels]))
    ]
    assert sorted(plain) == sorted(renamed)
    assert all(0 <= value <= 1 for _, value, _ in plain)


@given(st.integers(0, 50))
def test_the_same_on_both_sides_is_no_doubt(seed):
    truth = discs(seed)[1]
    assert {one.disagreement for one in doubts(truth, truth)} == {0.0}
    assert image_doubt(doubts(truth, truth)) == 0


def test_nothing_on_both_sides_is_no_doubt():
    nothing = InstanceMap(np.zeros((4, 4), int))
    assert doubts(nothing, nothing) == []
    assert image_doubt([]) == 0


def test_volumes():
    labels = np.zeros((4, 5, 6), int)
    labels[1:3, 1:3, 1:3] = 4
    (one,) = doubts(InstanceMap(np.zeros_like(labels), axes="zyx"), InstanceMap(labels, axes="zyx"))
    assert (one.place, one.box, one.area) == ((1.5, 1.5, 1.5), (1, 1, 1, 3, 3, 3), 8)


TABLE = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(3, "road", "stuff"), ClassEntry(5, "car", "stuff"),
                    ClassEntry(255, "void", "ignore")))  # fmt: skip
FOUND = ClassTable(TABLE.entries[:3]) if hasattr(TABLE, "entries") else ClassTable(tuple(TABLE)[:3])


def classes(labels, found, share=0.9):
    scores = np.full((*np.shape(found), 3), (1 - share) / 2, np.float32)
    for layer, value in enumerate((0, 3, 5)):
        scores[np.asarray(found) == value, layer] = share
    return doubts(SemanticMap(found, classes=FOUND), SemanticMap(labels, classes=TABLE), ScoreMap(scores, axes="yxc"))


def test_a_region_of_another_class_by_its_margin():
    labels = np.full((12, 12), 3)
    found = labels.copy()
    found[2:7, 3:9] = 5
    (one,) = classes(labels, found)
    assert (one.kind, one.label, one.found, one.area, one.box) == ("other class", 3, 5, 30, (2, 3, 7, 9))
    assert one.disagreement == pytest.approx(0.9 - 0.05)


def test_borders_and_ignored_pixels_are_no_region():
    labels = np.full((12, 12), 3)
    found = labels.copy()
    found[:, 4:6] = 5  # two pixels wide
    labels[6:, 8:] = 255
    found[7:11, 9:12] = 5
    assert classes(labels, found) == []


def test_kinds_and_shapes_must_agree():
    objects, area = InstanceMap(np.ones((3, 3), int)), SemanticMap(np.ones((3, 3), np.uint8))
    with pytest.raises(InputError, match="one side holds classes"):
        doubts(objects, area)
    with pytest.raises(InputError, match=r"are \(3, 3\), the prediction \(2, 3\)"):
        doubts(InstanceMap(np.ones((2, 3), int)), objects)


def test_scores_without_probabilities_say_nothing_of_sureness():
    assert foreground_of(ScoreMap(np.zeros((2, 2, 1)), axes="yxc", layers=("distance",)), (2, 2)) is None
    assert foreground_of(None, (2, 2)) is None


def test_one_sure_doubt_is_seen_among_many_small_ones():
    small = [Doubt("outline", k, k, 0.2, (0.0, 0.0), (0, 0, 1, 1), 1) for k in range(100)]
    sure = Doubt("not found", 200, 0, 0.95, (0.0, 0.0), (0, 0, 1, 1), 1)
    assert image_doubt(small) == pytest.approx(0.2)
    assert image_doubt([*small, sure]) > 0.8
