"""Matching is one to one, takes as many pairs as there can be, and is the same however objects are numbered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels.bands import set_threads, threads
from microtome.core.objects import Object, Objects
from microtome.measure.metrics.contingency import contingency
from microtome.measure.metrics.matching import (
    THRESHOLDS,
    ap,
    by_class,
    f1,
    map_50_95,
    match,
    match_counts,
    mean_iou,
    overlaps,
    precision,
    recall,
)
from microtome.measure.metrics.pair_boxes import box_overlaps

maps = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(*(arrays(np.int32, shape, elements=st.integers(0, 4)) for _ in range(2)))
)


def most_pairs(edges):
    """The most pairs without a shared object, by trying everything."""
    if not edges:
        return 0
    (t, p), rest = edges[0], edges[1:]
    return max(most_pairs(rest), 1 + most_pairs([edge for edge in rest if edge[0] != t and edge[1] != p]))


def iou(pred, truth, p, t):
    both = ((pred == p) & (truth == t)).sum()
    return both / (((pred == p) | (truth == t)).sum()), both


@given(maps, st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.55, 0.7, 1.0]))
@settings(max_examples=150)
def test_as_many_pairs_as_there_can_be(pair, threshold):
    pred, truth = pair
    found = match(overlaps(pred, truth), threshold)
    ids = [(t, p) for t in np.unique(truth[truth > 0]) for p in np.unique(pred[pred > 0])]
    edges = [(t, p) for t, p in ids if iou(pred, truth, p, t)[1] and iou(pred, truth, p, t)[0] >= threshold]
    assert found.tp == most_pairs(edges)
    assert found.tp + found.fn == len(np.unique(truth[truth > 0]))
    assert found.tp + found.fp == len(np.unique(pred[pred > 0]))
    assert len(set(found.pairs[:, 0])) == len(set(found.pairs[:, 1])) == found.tp
    for (t, p), value in zip(found.pairs, found.iou, strict=True):
        assert value == iou(pred, truth, p, t)[0] >= threshold


@given(maps)
@settings(max_examples=50)
def test_renumbering_changes_nothing(pair):
    pred, truth = pair
    renumbered = np.array([0, 70_000, 3, 2_000_000_000, 1])[pred]
    for threshold in (0.3, 0.5, 0.8):
        assert match(overlaps(renumbered, truth), threshold).tp == match(overlaps(pred, truth), threshold).tp


@given(maps)
@settings(max_examples=50)
def test_contingency_counts_every_pixel_once(pair):
    pred, truth = pair
    found = contingency(pred, truth)
    assert found.pixels.sum() == pred.size
    assert sorted(zip(found.truth.tolist(), found.pred.tolist(), strict=True)) == list(
        zip(found.truth.tolist(), found.pred.tolist(), strict=True)
    )
    for t, p, pixels in zip(found.truth, found.pred, found.pixels, strict=True):
        assert pixels == ((truth == t) & (pred == p)).sum() > 0


def test_chain_below_one_half_needs_an_assignment():
    # each truth overlaps two predictions; the best pair alone would cost the other truth its partner
    truth = np.array([[1] * 6 + [2] * 6])
    pred = np.array([[1] * 2 + [2] * 6 + [0] * 4])
    found = overlaps(pred, truth)
    assert found.iou.tolist() == [1 / 3, 0.5, 0.2]
    assert match(found, 0.2).tp == 2
    assert match(found, 0.4).tp == 1


def test_an_exact_half_counts_once():
    assert [match(overlaps(np.array([[1, 2]]), np.array([[1, 1]])), t).tp for t in (0.5, 0.55)] == [1, 0]


def test_boxes_that_overlap_are_paired_as_often_as_they_can_be():
    # Both truths lie best over the first prediction; the second truth has the second one for a partner, at .6.
    truth, pred = ((0.0, 0.0, 10.0, 10.0), (0.0, 1.0, 10.0, 11.0)), ((0.0, 0.0, 10.0, 10.0), (0.0, 3.5, 10.0, 13.5))
    sides = [Objects((20, 20), tuple(Object(k, given_box=box) for k, box in enumerate(side, 1))) for side in (pred, truth)]
    found = box_overlaps(*sides)
    assert found.iou.tolist() == pytest.approx([1, 6.5 / 13.5, 9 / 11, 7.5 / 12.5])
    assert [match(found, threshold).tp for threshold in (0.5, 0.6, 0.7)] == [2, 2, 1]
    assert match_counts(found, (0.5, 0.6, 0.7)).tp.tolist() == [2, 2, 1]
    assert match_counts(found, (0.5,)).iou[0] == pytest.approx(1.6)


def test_thresholds_are_the_nearest_floats():
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_no_objects_on_both_sides_is_perfect_on_one_is_nothing():
    none, one = np.zeros((3, 3), int), np.ones((3, 3), int)
    for threshold in (0.2, 0.5):
        assert [metric(match(overlaps(none, none), threshold)) for metric in (f1, ap)] == [1, 1]
        assert [metric(match(overlaps(one, none), threshold)) for metric in (f1, ap)] == [0, 0]
        assert [metric(match(overlaps(none, one), threshold)) for metric in (f1, ap)] == [0, 0]


def test_70000_objects_and_volumes():
    truth = np.arange(70_000).reshape(10, 70, 100)
    found = match(overlaps(truth[:, ::-1], truth[:, ::-1]), 0.5)
    assert (found.tp, found.fp, found.fn) == (69_999, 0, 0)


def test_any_kind_of_whole_numbers_and_any_layout():
    truth = np.array([[0, 3, 3], [7, 7, 0]])
    pred = np.array([[0, 3, 3], [7, 0, 2]])
    expected = overlaps(pred, truth).iou.tolist()
    assert expected == [1, 0.5]
    readonly = truth.astype(np.int32)
    readonly.flags.writeable = False
    for other in (truth.astype(np.uint8), truth.astype(">i8"), truth.astype(np.uint64), truth.astype(float), np.asfortranarray(truth),
                  np.repeat(truth, 2, axis=1)[:, ::2], readonly, truth.tolist(), np.where(truth == 7, 2**31 - 1, truth)):  # fmt: skip
        assert overlaps(pred, other).iou.tolist() == expected
    assert overlaps(truth > 0, truth > 0).iou.tolist() == [1]


@pytest.mark.parametrize(
    ("label", "words"),
    [(2**31, "label 2147483648, which does not fit in 32 bits"), (2**32 + 1, "does not fit"), (-(2**31) - 1, "does not fit"),
     (-1, "object number -1"), (np.nan, r"1 values that are no labels, the first nan at \(0, 1\)"), (1.5, r"1\.5 at"), (np.inf, "inf at"),
     (1j, "complex"), ("a", "labels are whole numbers")],
)  # fmt: skip
def test_what_is_no_object_number_is_named_and_never_wrapped(label, words):
    fine, wrong = np.array([[0, 1]]), np.array([[0, label]])
    with pytest.raises(InputError, match=f"the prediction holds .*{words}"):
        overlaps(wrong, fine)
    with pytest.raises(InputError, match=f"the truth holds .*{words}"):
        overlaps(fine, wrong)


def test_different_sizes_are_named():
    with pytest.raises(InputError, match=r"\(2, 3\) and the truth \(3, 2\)"):
        overlaps(np.zeros((2, 3), int), np.zeros((3, 2), int))


@given(maps, st.booleans(), st.lists(st.sampled_from([0.1, 0.25, 1 / 3, 0.4, 0.5, 0.55, 0.75, 1.0]), max_size=5))
@settings(max_examples=150)
def test_counts_at_all_thresholds_equal_one_match_each(pair, strict, thresholds):
    found = overlaps(*pair)
    counts = match_counts(found, thresholds, strict=strict)
    each = [match(found, threshold, strict=strict) for threshold in thresholds]
    assert [counts.tp.tolist(), counts.fp.tolist(), counts.fn.tolist()] == [
        [getattr(one, key) for one in each] for key in ("tp", "fp", "fn")
    ]
    for name, one_of in (("precision", precision), ("recall", recall), ("f1", f1), ("ap", ap), ("mean_iou", mean_iou)):
        np.testing.assert_allclose(getattr(counts, name), [one_of(one) for one in each])


@given(maps)
@settings(max_examples=50)
def test_counts_of_images_add_up(pair):
    pred, truth = pair
    found, turned = match_counts(overlaps(pred, truth)), match_counts(overlaps(pred[::-1], truth))
    both = found + turned
    assert both.tp.tolist() == [a + b for a, b in zip(found.tp.tolist(), turned.tp.tolist(), strict=True)]
    moved = [np.where(side, side + 9, 0) for side in (pred[::-1], truth)]
    stacked = match_counts(overlaps(np.stack([pred, moved[0]]), np.stack([truth, moved[1]])))
    np.testing.assert_allclose(both.ap, stacked.ap)
    np.testing.assert_allclose(both.mean_iou, stacked.mean_iou)


def test_counts_at_other_thresholds_do_not_add_up():
    found = overlaps(np.ones((2, 2), int), np.ones((2, 2), int))
    with pytest.raises(InputError, match=r"\(0\.5,\) and \(0\.75,\)"):
        match_counts(found, (0.5,)) + match_counts(found, (0.75,))


def test_a_pair_exactly_at_the_threshold_is_not_above_it():
    found = overlaps(np.array([[1, 1, 0, 2]]), np.array([[1, 1, 1, 2]]))
    assert found.iou.tolist() == [2 / 3, 1]
    assert [match(found, 2 / 3, strict=strict).tp for strict in (False, True)] == [2, 1]
    assert [match(found, 1, strict=strict).tp for strict in (False, True)] == [1, 0]
    assert map_50_95(found, strict=True) == map_50_95(found) == pytest.approx((4 * 1 + 6 / 3) / 10)


def test_ratios_without_a_base():
    none, one = np.zeros((3, 3), int), np.ones((3, 3), int)
    assert np.isnan(precision(match(overlaps(none, one), 0.5)))
    assert recall(match(overlaps(none, one), 0.5)) == 0
    assert np.isnan(recall(match(overlaps(one, none), 0.5)))
    assert np.isnan(mean_iou(match(overlaps(one, none), 0.5)))


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan")])
def test_a_threshold_that_is_no_iou_is_refused(threshold):
    found = overlaps(np.ones((2, 2), int), np.ones((2, 2), int))
    for call in (lambda: match(found, threshold), lambda: match_counts(found, (0.5, threshold))):
        with pytest.raises(RecipeError, match="above 0 and at most 1"):
            call()


@given(maps, st.lists(st.integers(1, 2), min_size=4, max_size=4), st.lists(st.integers(1, 3), min_size=4, max_size=4))
@settings(max_examples=100)
def test_by_class_equals_each_class_alone(pair, pred_class, truth_class):
    pred, truth = pair
    classes = [dict(enumerate(side, 1)) for side in (pred_class, truth_class)]
    apart = by_class(overlaps(pred, truth), *classes)
    for value, found in apart.items():
        alone = overlaps(
            *(np.where(np.isin(side, [k for k in of if of[k] == value]), side, 0) for side, of in zip(pair, classes, strict=True))
        )
        for key in ("truth_ids", "pred_ids", "truth_areas", "pred_areas", "truth", "pred", "shared", "iou"):
            np.testing.assert_array_equal(getattr(found, key), getattr(alone, key))
    assert sum(len(found.truth_ids) for found in apart.values()) == len(overlaps(pred, truth).truth_ids)


def test_an_object_without_a_class_is_named():
    with pytest.raises(InputError, match="1 of 2 objects of the prediction have no class, object 2 first"):
        by_class(overlaps(np.array([[1, 2]]), np.array([[1, 1]])), {1: 1}, {1: 1})


def test_bands_and_many_pairs_are_counted_exactly():
    random = np.random.default_rng(0)
    pred, truth = random.integers(-3, 60, (1200, 1100)).astype(np.int32), random.integers(0, 60, (1200, 1100)).astype(np.uint16)
    truth[600:] = np.repeat(truth[600:, ::50], 50, axis=1)
    before = threads()
    try:
        tables = []
        for count in (1, 3):
            set_threads(count)
            tables.append(contingency(pred, truth))
    finally:
        set_threads(before)
    keys, pixels = np.unique(truth.astype(np.int64).ravel() * 1000 + pred.ravel() + 3, return_counts=True)
    for found in tables:
        np.testing.assert_array_equal(found.truth * 1000 + found.pred + 3, keys)
        np.testing.assert_array_equal(found.pixels, pixels)
