"""AJI, AJI+ and SEG beside the definitions written out, their bounds, and what renumbering may change."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError
from microtome.measure.metrics.aji import aji, aji_plus
from microtome.measure.metrics.assignment import assignment
from microtome.measure.metrics.matching import overlaps
from microtome.measure.metrics.seg import seg, seg_each
from microtome.measure.metrics.voc_ap import voc_ap

maps = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(*(arrays(np.int32, shape, elements=st.integers(0, 4)) for _ in range(2)))
)


def masks(labels):
    return {int(k): labels == k for k in np.unique(labels[labels > 0])}


def slow_aji(pred, truth):
    preds, truths = masks(pred), masks(truth)
    shared, joint, used = 0, 0, set()
    for t in truths.values():
        iou = {k: (t & p).sum() / (t | p).sum() for k, p in preds.items()}
        best = max(iou, key=lambda k: (iou[k], -k), default=None)
        if best is None or not iou[best]:
            joint += t.sum()
            continue
        used.add(best)
        shared += (t & preds[best]).sum()
        joint += (t | preds[best]).sum()
    joint += sum(p.sum() for k, p in preds.items() if k not in used)
    return shared / joint if joint else 1.0


def most_gain(edges):
    """The greatest sum of gains without a shared end, by trying everything."""
    if not edges:
        return 0.0
    (r, c, gain), rest = edges[0], edges[1:]
    return max(most_gain(rest), gain + most_gain([edge for edge in rest if edge[0] != r and edge[1] != c]))


@given(maps)
@settings(max_examples=150)
def test_aji_is_the_paper_s_sum(pair):
    pred, truth = pair
    assert aji(overlaps(pred, truth)) == pytest.approx(slow_aji(pred, truth))


@given(maps)
@settings(max_examples=100)
def test_aji_plus_takes_the_greatest_sum_of_iou(pair):
    found = overlaps(*pair)
    chosen = assignment(found.truth, found.pred, found.iou)
    assert len(set(found.truth[chosen])) == len(set(found.pred[chosen])) == len(chosen)
    assert found.iou[chosen].sum() == pytest.approx(most_gain(list(zip(found.truth, found.pred, found.iou, strict=True))))
    joint = found.truth_areas.sum() + found.pred_areas.sum() - found.shared[chosen].sum()
    assert aji_plus(found) == pytest.approx(found.shared[chosen].sum() / joint if joint else 1)


edges = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 6)), max_size=10, unique_by=lambda edge: edge[:2])


@given(edges)
@settings(max_examples=300)
def test_assignment_gains_the_most(given_edges):
    rows, columns, gain = (np.array([edge[k] for edge in given_edges], np.int64) for k in range(3))
    chosen = assignment(rows, columns, gain.astype(float))
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    assert (np.diff(chosen) > 0).all()
    assert gain[chosen].sum() == most_gain(given_edges)


def test_assignment_of_a_long_chain():
    # gains rise along it, so that only its end is certain at first: what 32 sweeps leave goes to the general solver
    count = 200
    rows, columns = np.repeat(np.arange(count), 2)[1:], np.repeat(np.arange(count), 2)[:-1]
    gain = np.linspace(1, 2, 2 * count - 1)
    chosen = assignment(rows, columns, gain)
    best = np.zeros(2 * count)  # the best choice among the first k edges
    for k, one in enumerate(gain):
        best[k + 1] = max(best[k], one + best[max(k - 1, 0)])
    assert gain[chosen].sum() == pytest.approx(best[-1])


@given(maps)
@settings(max_examples=100)
def test_numbers_of_objects_do_not_matter(pair):
    pred, truth = pair
    found = overlaps(pred, truth)
    ranked = sorted(zip(found.truth, found.iou, strict=True))
    assume(all(a != b for a, b in itertools.pairwise(ranked)))  # equal IoU: the smaller number is taken
    again = overlaps(np.array([0, 70_000, 3, 2_000_000_000, 1])[pred], np.array([0, 9, 8, 7, 6])[truth])
    assert aji(again) == pytest.approx(aji(found))
    assert seg(again) == pytest.approx(seg(found), nan_ok=True)


@given(maps)
@settings(max_examples=50)
def test_bounds(pair):
    found, itself = overlaps(*pair), overlaps(pair[1], pair[1])
    assert 0 <= aji(found) <= 1
    assert 0 <= aji_plus(found) <= 1
    assert aji(itself) == aji_plus(itself) == 1
    if len(itself.truth_ids):
        assert seg(itself) == 1


def test_aji_plus_may_be_the_greater():
    pred = np.ones((1, 110), int)
    truth = np.zeros((1, 110), int)
    truth[0, :10], truth[0, 50] = 1, 2
    found = overlaps(pred, truth)
    assert aji(found) == pytest.approx(11 / 220)
    assert aji_plus(found) == pytest.approx(10 / 111)


def test_nothing_on_one_side_or_on_both():
    none, one = np.zeros((3, 3), int), np.ones((3, 3), int)
    assert [aji(overlaps(none, none)), aji_plus(overlaps(none, none))] == [1, 1]
    for pair in ((none, one), (one, none)):
        assert [aji(overlaps(*pair)), aji_plus(overlaps(*pair))] == [0, 0]
    assert np.isnan(seg(overlaps(one, none)))
    assert seg(overlaps(none, one)) == 0


@given(maps)
@settings(max_examples=100)
def test_seg_needs_more_than_half_of_the_object(pair):
    pred, truth = pair
    expected = []
    for t in masks(truth).values():
        covering = [p for p in masks(pred).values() if (t & p).sum() > t.sum() / 2]
        expected.append((t & covering[0]).sum() / (t | covering[0]).sum() if covering else 0)
    assert seg_each(overlaps(pred, truth)).tolist() == pytest.approx(expected)


def test_voc_curve():
    assert voc_ap([], []) == 0
    assert voc_ap([1], [1]) == voc_ap([1], [1], eleven_points=True) == 1
    assert voc_ap([0, 0.5], [0, 0.3], eleven_points=True) == pytest.approx(4 * 0.5 / 11)  # 0, .1, .2 and .3 itself
    with pytest.raises(InputError, match="recall falls after prediction 1"):
        voc_ap([1, 1], [0.5, 0.4])
    with pytest.raises(InputError, match="from 0 to 1"):
        voc_ap([1.5], [0.5])
    with pytest.raises(InputError, match="from 0 to 1"):
        voc_ap([float("nan")], [0.5])
    with pytest.raises(InputError, match=r"\(2,\) and \(1,\)"):
        voc_ap([1, 1], [1])
