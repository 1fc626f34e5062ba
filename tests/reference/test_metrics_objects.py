"""The numbers of the catalogue's object fixtures, several derived by hand, beside the peers' own where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from microtome.core.kernels.areas import objects_of
from microtome.core.objects import Objects
from microtome.core.raster import InstanceMap
from microtome.measure.metrics.aji import aji, aji_plus
from microtome.measure.metrics.coco_ap import coco_ap
from microtome.measure.metrics.matching import THRESHOLDS, map_50_95, match_counts, overlaps
from microtome.measure.metrics.panoptic_quality import panoptic, panoptic_objects, pq, rq, sq
from microtome.measure.metrics.seg import seg, seg_each
from microtome.measure.metrics.voc_ap import voc_ap


def boxes(shape, *corners):
    """Objects 1, 2, ... from half-open boxes (top, bottom, left, right)."""
    labels = np.zeros(shape, np.int32)
    for number, (top, bottom, left, right) in enumerate(corners, 1):
        labels[top:bottom, left:right] = number
    return labels


TRUTH = boxes((20, 20), (0, 6, 0, 6), (0, 6, 8, 14), (8, 14, 0, 6), (8, 14, 8, 14), (15, 19, 15, 19))
PRED = boxes((20, 20), (0, 6, 0, 6), (0, 6, 9, 14), (8, 14, 0, 3), (8, 14, 3, 6), (8, 14, 10, 18), (16, 18, 2, 6))
FOUND = overlaps(PRED, TRUTH)


def test_at_least_and_above_the_threshold():
    counts = match_counts(FOUND, (0.4, 0.5, 0.7))
    assert list(zip(counts.tp, counts.fp, counts.fn, strict=True)) == [(4, 2, 1), (3, 3, 2), (2, 4, 3)]
    assert counts.f1.tolist() == pytest.approx([8 / 11, 6 / 11, 4 / 11])
    assert counts.ap.tolist() == pytest.approx([4 / 7, 0.375, 2 / 9])
    assert counts.mean_iou[1] == pytest.approx((1 + 5 / 6 + 0.5) / 3)
    strict = match_counts(FOUND, strict=True)
    assert strict.ap[0] == pytest.approx(0.222222222, abs=1e-9)
    assert [map_50_95(FOUND), map_50_95(FOUND, strict=True)] == pytest.approx([0.200833333, 0.185555556], abs=1e-9)
    assert strict.thresholds == THRESHOLDS


@pytest.mark.parametrize("sums", [panoptic(PRED, TRUTH), panoptic_objects(FOUND)], ids=["maps", "overlaps"])
def test_panoptic_quality_is_strict(sums):
    assert [pq(sums), sq(sums), rq(sums)] == pytest.approx([1 / 3, 0.916666667, 0.363636364], abs=1e-9)
    assert (sums.tp[0], sums.fp[0], sums.fn[0]) == (2, 4, 3)


def test_panoptic_quality_at_least_one_half_is_another_number():
    counts = match_counts(FOUND, (0.5,))
    assert counts.iou[0] / (counts.tp[0] + counts.fp[0] / 2 + counts.fn[0] / 2) == pytest.approx(0.424242424, abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.9, 0.8, 0.7, 0.6, 0.5, 0.4), (0.366336634, 0.603960396, 0.405940594, 0.36)),
     ((0.4, 0.5, 0.6, 0.7, 0.8, 0.9), (0.121782178, 0.301980198, 0.135313531, 0.36))],
)  # fmt: skip
def test_ranking_alone_triples_cocos_average_precision(scores, expected):
    truth = objects_of(InstanceMap(TRUTH))
    pred = objects_of(InstanceMap(PRED))
    pred = Objects(pred.shape, tuple(replace(item, score=score) for item, score in zip(pred.items, scores, strict=True)))
    found = coco_ap([(pred, truth)])
    assert [found.ap, found.ap_50, found.ap_75, found.ar_100] == pytest.approx(expected, abs=1e-9)


def test_aggregated_jaccard_index():
    assert aji(FOUND) == aji_plus(FOUND) == pytest.approx(108 / 210)
    one_over_two = overlaps(boxes((6, 12), (0, 6, 0, 12)), boxes((6, 12), (0, 6, 0, 6), (0, 6, 6, 12)))
    assert aji(one_over_two) == 0.5
    assert aji_plus(one_over_two) == 1 / 3


def test_seg():
    assert seg(FOUND) == pytest.approx(0.446666667, abs=1e-9)
    assert seg_each(FOUND).tolist() == [1, 5 / 6, 0, 0.4, 0]  # a half is not more than half


def test_pascal_voc_average_precision():
    precision, recall = (1, 1, 0.75), (0.2, 0.4, 0.6)
    assert voc_ap(precision, recall) == pytest.approx(0.55)
    # The recall .6 is reached with precision .75: (5 x 1 + 2 x .75) / 11 = .590909. The catalogue's .522727273 = (5 x 1 + .75) / 11
    # loses that point, as np.arange(0, 1.1, 0.1) has .6000000000000001 in its place.
    assert voc_ap(precision, recall, eleven_points=True) == pytest.approx(6.5 / 11)
    rounded = [max((p for p, r in zip(precision, recall, strict=True) if r >= level), default=0) for level in np.arange(0, 1.1, 0.1)]
    assert sum(rounded) / 11 == pytest.approx(0.522727273, abs=1e-9)
