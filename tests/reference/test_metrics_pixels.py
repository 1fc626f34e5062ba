"""The numbers of the catalogue's fixtures for classes, scores, surfaces, partitions, bending and confidences.

Where a peer is not run here, its number stands as the catalogue prints it.
"""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label
from skimage.metrics import adapted_rand_error, variation_of_information

from microtome.core.raster import SemanticMap
from microtome.measure.metrics.boundary_f1 import boundary_f1
from microtome.measure.metrics.calibration import brier, ece, mce, reliability
from microtome.measure.metrics.confusion import confusion
from microtome.measure.metrics.contingency import contingency
from microtome.measure.metrics.overlap import fwiou, kappa, mcc, precision, recall
from microtome.measure.metrics.precision_recall import ap_pixel, precision_recall
from microtome.measure.metrics.rand import are, ari, rand
from microtome.measure.metrics.roc import roc, roc_auc
from microtome.measure.metrics.score_counts import score_counts
from microtome.measure.metrics.surface_distances import assd, hd, hd95, nsd, surface_distances
from microtome.measure.metrics.surfaces import nearest
from microtome.measure.metrics.voi import voi_merge, voi_split
from microtome.measure.metrics.warping import warp, warping, warping_min
from microtome.measure.regions import measure


def boxes(shape, *corners):
    """Objects 1, 2, ... from half-open boxes (top, bottom, left, right)."""
    labels = np.zeros(shape, np.int32)
    for number, (top, bottom, left, right) in enumerate(corners, 1):
        labels[top:bottom, left:right] = number
    return labels


def digits(value):
    return pytest.approx(value, abs=1e-9)


A, B = boxes((12, 12), (2, 8, 2, 8)), boxes((12, 12), (3, 9, 4, 10))
OBJECTS = boxes((20, 20), (0, 6, 0, 6), (0, 6, 8, 14), (8, 14, 0, 6), (8, 14, 8, 14), (15, 19, 15, 19))
FOUND = boxes((20, 20), (0, 6, 0, 6), (0, 6, 9, 14), (8, 14, 0, 3), (8, 14, 3, 6), (8, 14, 10, 18), (16, 18, 2, 6))
TWO = boxes((5, 9), (1, 4, 1, 4), (1, 4, 5, 8)) > 0


def test_classes():
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 1], [2, 2, 2, 255]])
    pred = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 2, 1, 1], [2, 2, 0, 1]])
    found = confusion(pred, truth, ignore=(255,))
    assert fwiou(found) == digits(0.660317460)
    assert kappa(found) == digits(0.7)
    assert mcc(found) == digits(0.719448145)
    assert precision(found) == pytest.approx({0: 4 / 5, 1: 5 / 7, 2: 1})
    assert recall(found) == pytest.approx({0: 4 / 5, 1: 1, 2: 3 / 5})


def test_two_squares():
    found = surface_distances(A, B)
    assert hd(found) == digits(5**0.5)
    assert hd95(found) == digits(2.011803399)
    assert assd(found) == digits(1.332514077)
    assert [nsd(found, t) for t in (1, 2)] == [0.55, 0.95]
    assert [boundary_f1(found, t) for t in (0, 1, 2)] == pytest.approx([0.1, 0.55, 0.95])
    # MedPy pools both directions before the percentile: the same here, where both sides are alike.
    assert hd95(found) == pytest.approx(2.0118034, abs=1e-7)
    assert assd(found) == pytest.approx(1.3325141, abs=1e-7)


def test_two_squares_with_spacing():
    found = surface_distances(A, B, spacing=(2, 0.5))
    assert hd(found) == digits(2.236067977)
    assert hd95(found) == digits(2.070278571)
    assert assd(found) == digits(1.164881040)
    assert [nsd(found, t) for t in (1, 2)] == [0.7, 0.9]


def outline(mask, spacing):
    """The length of the outline around each corner where four pixels meet, by marching squares, as DeepMind's surface-distance has it."""
    height, width = mask.shape
    around = np.lib.stride_tricks.sliding_window_view(np.pad(mask > 0, 1), (2, 2)).reshape(height + 1, width + 1, 4)
    a, b, c, d = np.moveaxis(around, -1, 0)
    inside, slant = around.sum(axis=-1), np.hypot(*spacing) / 2
    return np.select([inside % 4 == 0, inside % 2 == 1, (a == b) & (c == d), (a == c) & (b == d)], [0, slant, *spacing[::-1]], 2 * slant)


@pytest.mark.parametrize(
    ("spacing", "hd95_is", "mean_is", "shares"),
    [((1, 1), 2.0, 1.350236674, (0.543805033, 0.969025164)), ((2, 0.5), 2.061552813, 1.071615388, (0.826201475, 0.947437735))],
)
def test_two_squares_by_the_length_of_the_outline_are_other_numbers(spacing, hd95_is, mean_is, shares):
    lengths = [outline(mask, spacing) for mask in (A, B)]
    far = [distance_transform_edt(other == 0, sampling=spacing)[own > 0] for own, other in zip(lengths, lengths[::-1], strict=True)]
    worth = [own[own > 0] for own in lengths]
    order = [np.argsort(distances) for distances in far]
    ninety_five = [d[k][np.searchsorted(np.cumsum(w[k]) / w.sum(), 0.95)] for d, w, k in zip(far, worth, order, strict=True)]
    assert max(ninety_five) == digits(hd95_is)
    assert [np.average(d, weights=w) for d, w in zip(far, worth, strict=True)] == pytest.approx([mean_is] * 2, abs=1e-9)
    both, whole = np.concatenate(far), np.concatenate(worth)
    assert [whole[both <= t].sum() / whole.sum() for t in (1, 2)] == pytest.approx(shares, abs=1e-9)


def test_the_average_distance_of_whole_masks_is_another_number():
    # SimpleITK's "average" Hausdorff distance; surfaces alone give 1.332514077.
    a, b = A > 0, B > 0
    assert max(nearest(a, b, (1, 1)).mean(), nearest(b, a, (1, 1)).mean()) == digits(0.629174487)


def test_scores():
    scores, truth = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.2]), np.array([0, 0, 1, 1, 1, 0])
    counts = score_counts(scores, truth)
    assert roc_auc(counts) == digits(0.833333333)
    assert ap_pixel(counts) == digits(0.805555556)
    curve = precision_recall(counts)
    area = np.trapezoid(np.append(1, curve.precision), np.append(0, curve.recall))
    assert area == digits(0.847222222)  # which is not the average precision
    assert np.trapezoid(roc(counts).tpr, roc(counts).fpr) == digits(0.833333333)
    first = score_counts(scores, truth, mask=np.arange(6) < 4)
    assert roc_auc(first) == digits(0.75)
    assert ap_pixel(first) == digits(0.833333333)


def test_partitions():
    table = contingency(FOUND, OBJECTS)
    assert rand(table) == digits(0.803909774)
    assert ari(table) == digits(0.589658721)
    assert are(table) == digits(0.230031949)
    assert [voi_split(table), voi_merge(table)] == pytest.approx([0.635956597, 0.600360293], abs=1e-9)
    assert np.log(2) * np.array([voi_split(table), voi_merge(table)]) == pytest.approx([0.440811522, 0.416138044], abs=1e-9)


def test_partitions_by_scikit_image():
    assert adapted_rand_error(OBJECTS, FOUND)[0] == digits(0.237623762)
    assert adapted_rand_error(OBJECTS, FOUND, ignore_labels=())[0] == digits(0.248349416)
    assert variation_of_information(OBJECTS, FOUND) == pytest.approx([0.6359566, 0.60036029], abs=1e-8)
    # Of a pure merge the pairs put together are right by a third and found without exception: its two numbers are swapped.
    assert adapted_rand_error(np.array([1, 1, 2, 2]), np.array([1, 1, 1, 1])) == pytest.approx((0.5, 1, 1 / 3))


def test_a_pure_merge():
    # The catalogue's ".5" for the adapted Rand error is scikit-image's, which leaves out the pairs of a pixel with itself:
    # 1 - 2*4/(4 + 12). By the definition, which counts them: 1 - 2*8/(8 + 16).
    table = contingency(np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]]))
    assert (voi_split(table), voi_merge(table)) == (0, 1)
    assert are(table) == digits(1 / 3)
    assert rand(table) == digits(1 / 3)


def test_bending():
    bridge, hole = TWO.copy(), TWO.copy()
    bridge[2, 4], hole[2, 2] = True, False
    shifted = np.roll(TWO, 1, axis=1)
    assert warping(bridge, TWO) == 1 / 45
    assert (shifted != TWO).sum() == 12
    assert warping(shifted, TWO) == 0
    assert warping(hole, TWO) == 1 / 45
    euler = [int(measure(SemanticMap(mask), None, ["euler"])["euler"][0]) for mask in (TWO, bridge, hole)]
    assert euler == [2, 1, 1]
    assert (warp(bridge, TWO) == TWO).all()
    assert label(warp(shifted, TWO))[1] == 2
    assert warping_min(np.where(TWO, 1.0, np.where(bridge, 0.3, 0)), TWO) == (0, 0.3)


def test_confidences():
    confidence, correct = np.array([0.95, 0.85, 0.9, 0.65, 0.55, 0.75, 0.62, 0.51]), np.array([1, 1, 0, 1, 0, 1, 1, 0])
    right, left = (reliability(confidence, correct, bins=10, closed=closed) for closed in ("right", "left"))
    assert ece(right) == digits(0.355)
    assert ece(left) == digits(0.380)
    assert mce(right) == digits(0.53)
    assert brier(right) == brier(left) == digits(0.215875)
