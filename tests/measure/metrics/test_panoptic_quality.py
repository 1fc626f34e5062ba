"""Panoptic sums add up, forget the void, forgive what lies in crowds, and are the same however segments are numbered."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.measure.metrics.matching import overlaps
from microtome.measure.metrics.panoptic_quality import panoptic, panoptic_objects, pq, pq_by_class, rq, rq_by_class, sq, sq_by_class

maps = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(*(arrays(np.int32, shape, elements=st.integers(0, 3)) for _ in range(4)))
)


def row(text):
    return np.array([[int(letter) for letter in text]])


def counts(sums):
    return [(value, *(int(side[k]) for side in (sums.tp, sums.fp, sums.fn))) for k, value in enumerate(sums.classes)]


def slow(pred, truth, void, crowd):
    """The paper's rules one segment at a time, for (class, number) maps where class 0 is none."""
    sides = []
    for classes, numbers in (pred, truth):
        ids = {(c, n) for c, n in zip(classes.ravel().tolist(), numbers.ravel().tolist(), strict=True) if c}
        sides.append({key: (classes == key[0]) & (numbers == key[1]) for key in sorted(ids)})
    preds, truths = sides
    truths = {key: mask & ~void for key, mask in truths.items() if (mask & ~void).any()}
    crowds = {key: mask for key, mask in truths.items() if key[1] in crowd}
    sums = {}
    found, used = set(), set()
    for key, mask in truths.items():
        for other, pixels in preds.items():
            seen = pixels & ~void
            iou = (mask & seen).sum() / (mask | seen).sum()
            if key not in crowds and key[0] == other[0] and iou > 0.5:
                found.add(key)
                used.add(other)
                tp, fp, fn, total = sums.get(key[0], (0, 0, 0, 0.0))
                sums[key[0]] = (tp + 1, fp, fn, total + iou)
    for key in truths.keys() - crowds.keys() - found:
        tp, fp, fn, total = sums.get(key[0], (0, 0, 0, 0.0))
        sums[key[0]] = (tp, fp, fn + 1, total)
    for key in preds.keys() - used:
        excuse = void.copy()
        for other, mask in crowds.items():
            excuse |= mask if other[0] == key[0] else False
        if (preds[key] & excuse).sum() / preds[key].sum() <= 0.5:
            tp, fp, fn, total = sums.get(key[0], (0, 0, 0, 0.0))
            sums[key[0]] = (tp, fp + 1, fn, total)
    return sums


@given(maps, st.data())
@settings(max_examples=200, deadline=None)
def test_equals_the_rules_one_by_one(four, data):
    p_class, p_number, t_class, t_number = four
    void = data.draw(arrays(bool, p_class.shape))
    crowd = data.draw(st.sets(st.integers(0, 3), max_size=2))
    found = panoptic((p_class, p_number), (t_class, t_number), ignore=void, crowd=crowd)
    expected = slow((p_class, p_number), (t_class, t_number), void, crowd)
    assert counts(found) == [(c, *expected[c][:3]) for c in sorted(expected)]
    np.testing.assert_allclose(found.iou, [expected[c][3] for c in sorted(expected)])


@given(maps)
@settings(max_examples=100)
def test_is_sq_times_rq_and_does_not_depend_on_numbers(four):
    pred, truth, *_ = four
    sums = panoptic(pred, truth)
    for value in sums.classes:
        assert pq_by_class(sums)[value] == pytest.approx(sq_by_class(sums)[value] * rq_by_class(sums)[value])
    again = panoptic(np.array([0, 70_000, 5, 2_000_000_000])[pred], truth)
    assert counts(again) == counts(sums) == counts(panoptic_objects(overlaps(pred, truth)))
    assert pq(again) == pytest.approx(pq(sums))
    assert pq(panoptic(truth, truth)) == sq(panoptic(truth, truth)) == rq(panoptic(truth, truth)) == 1


@given(maps)
@settings(max_examples=50)
def test_sums_add_up_over_a_set(four):
    pred, truth, other_pred, other_truth = four
    both = panoptic(pred, truth) + panoptic(other_pred, other_truth)
    stacked = panoptic(
        np.stack([pred, np.where(other_pred, other_pred + 9, 0)]), np.stack([truth, np.where(other_truth, other_truth + 9, 0)])
    )
    assert counts(both) == counts(stacked)
    np.testing.assert_allclose(both.iou, stacked.iou)


def test_a_set_is_pooled_not_averaged_over_images():
    right, nothing = panoptic(row("1111"), row("1111")), panoptic(row("0000"), row("1122"))
    assert pq(right + nothing) == 1 / (1 + 2 / 2) == 0.5
    assert (pq(right) + pq(nothing)) / 2 == 0.5
    assert pq(right + right + nothing) == pytest.approx(2 / 3)  # as is 2 of 4 by counts: 2 / (2 + 2 / 2)
    assert pq(right + nothing + nothing) == pytest.approx(1 / 3)


def test_void_pixels_are_taken_off_the_prediction():
    void = row("000011").astype(bool)
    assert pq(panoptic(row("111111"), row("111100"), ignore=void)) == 1
    assert pq(panoptic(row("111111"), row("111100"))) == pytest.approx(4 / 6)
    assert pq(panoptic(row("111111"), row("111177"), ignore=7)) == 1


def test_a_prediction_mostly_in_the_void_is_not_wrong():
    truth = row("11000999")
    assert counts(panoptic(row("11002222"), truth, ignore=9)) == [(1, 1, 0, 0)]
    assert counts(panoptic(row("11222222"), truth, ignore=9)) == [(1, 1, 1, 0)]  # one half is not more than half
    assert counts(panoptic(row("11000020"), truth, ignore=9)) == [(1, 1, 0, 0)]


def test_a_crowd_is_neither_found_nor_missed():
    truth = (row("11112222"), row("11112222"))
    assert counts(panoptic((row("11110000"), row("11110000")), truth, crowd=(2,))) == [(1, 1, 0, 0)]
    in_crowd = (row("11112220"), row("11113330"))
    assert counts(panoptic(in_crowd, truth, crowd=(2,))) == [(1, 1, 0, 0)]
    of_another_class = (row("11113330"), row("11113330"))
    assert counts(panoptic(of_another_class, truth, crowd=(2,))) == [(1, 1, 0, 0), (3, 0, 1, 0)]


def test_stuff_is_one_segment_and_classes_must_agree():
    table = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(1, "cell"), ClassEntry(2, "gel", "stuff"),
                        ClassEntry(255, "unclear", "ignore")))  # fmt: skip
    truth = (SemanticMap(row("1122").astype(np.uint8), classes=table), InstanceMap(row("1200")))
    pred = (row("1222"), row("1000"))
    found = panoptic(pred, truth)
    assert pq_by_class(found) == {1: 1 / 1.5, 2: 2 / 3}
    assert pq(found) == pytest.approx(2 / 3)
    unclear = (SemanticMap(np.array([[1, 255, 2, 2]], np.uint8), classes=table), InstanceMap(row("1200")))
    assert pq_by_class(panoptic(pred, unclear)) == {1: 1, 2: 1}


def test_objects_by_their_class():
    pred, truth = InstanceMap(row("1102"), object_class={1: 1, 2: 1}), InstanceMap(row("5506"), object_class={5: 1, 6: 2})
    assert pq(panoptic(pred, truth)) == 1
    assert counts(panoptic(pred, truth, by_class=True)) == [(1, 1, 1, 0), (2, 0, 0, 1)]
    with pytest.raises(InputError, match="1 of 2 objects of the truth have no class, object 6 first"):
        panoptic(pred, InstanceMap(row("5506"), object_class={5: 1}), by_class=True)
    with pytest.raises(InputError, match="plain array"):
        panoptic(row("1"), row("1"), by_class=True)


def test_nothing_at_all_is_perfect():
    nothing = panoptic(row("00"), row("00"))
    assert nothing.classes == ()
    assert [pq(nothing), sq(nothing), rq(nothing)] == [1, 1, 1]
    assert panoptic_objects(overlaps(row("00"), row("00"))).classes == ()
    assert panoptic(InstanceMap(row("00")), InstanceMap(row("00")), by_class=True).classes == ()


def test_refusals():
    with pytest.raises(InputError, match=r"\(1, 2\)"):
        panoptic(row("00"), row("000"))
    with pytest.raises(InputError, match=r"void mask is bool of shape \(1, 3\)"):
        panoptic(row("00"), row("00"), ignore=np.zeros((1, 3), bool))
    with pytest.raises(InputError, match="one side has a class for every pixel"):
        panoptic((row("1"), row("1")), row("1"))
    with pytest.raises(InputError, match="32 bits"):
        panoptic((row("9"), row("1") * 2_000_000_000), (row("9"), row("1")))
    with pytest.raises(InputError, match="void mask is int64"):
        panoptic(row("00"), row("00"), ignore=row("01"))
    for wrong in (-row("1"), row("1") * 2**31, np.array([[np.nan]]), np.array([[1.5]])):
        with pytest.raises(InputError, match="the prediction's object map holds"):
            panoptic((row("9"), wrong), (row("9"), row("1")))
        with pytest.raises(InputError, match="the truth's object map holds"):
            panoptic(row("1"), wrong)
