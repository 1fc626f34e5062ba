"""Surfaces and the distances between them: equal to scipy's, symmetric, the same in a one-slice volume, with a rule for empty sides."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import binary_erosion, distance_transform_edt
from skimage.metrics import hausdorff_distance

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels import bands
from microtome.measure.metrics.surface_distances import assd, hd, hd95, nsd, surface_distances
from microtome.measure.metrics.surfaces import nearest, surface

shapes = st.one_of(st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(1, 6)] * 3))
steps = st.sampled_from([0.3, 0.5, 1.0, 1.7, 2.0])
pairs = shapes.flatmap(lambda shape: st.tuples(*[arrays(bool, shape)] * 2, st.tuples(*[steps] * len(shape))))


@given(pairs)
@settings(max_examples=150)
def test_distances_equal_scipy(drawn):
    pred, truth, spacing = drawn
    np.testing.assert_array_equal(surface(truth), truth & ~binary_erosion(truth))
    found = nearest(pred, truth, spacing)
    if truth.any():
        np.testing.assert_allclose(found, distance_transform_edt(~truth, sampling=spacing)[pred], rtol=1e-12, atol=1e-12)
    else:
        assert np.isinf(found).all()
        assert len(found) == pred.sum()


@given(pairs)
@settings(max_examples=100)
def test_every_distance_by_trying_all_pairs(drawn):
    pred, truth, spacing = drawn
    if len(pred) == 1 and pred.ndim == 3:
        return
    found = surface_distances(pred, truth, spacing=spacing)
    p, t = (np.argwhere(mask & ~binary_erosion(mask)) * np.array(spacing) for mask in (pred, truth))
    table = np.sqrt(((p[:, None] - t[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(found.pred, table.min(axis=1, initial=np.inf), atol=1e-12)
    np.testing.assert_allclose(found.truth, table.min(axis=0, initial=np.inf), atol=1e-12)


@given(pairs)
@settings(max_examples=100)
def test_laws(drawn):
    pred, truth, spacing = drawn
    there, back = surface_distances(pred, truth, spacing=spacing), surface_distances(truth, pred, spacing=spacing)
    np.testing.assert_array_equal(there.pred, back.truth)
    for metric in (hd, hd95, assd):
        assert metric(there) == pytest.approx(metric(back), nan_ok=True)
        assert metric(surface_distances(truth, truth, spacing=spacing)) == 0
    if not math.isnan(hd(there)):
        assert assd(there) <= hd(there) + 1e-12
        assert hd95(there) <= hd(there)
    shares = [nsd(there, tolerance) for tolerance in (0, 0.3, 0.5, 1, 2, 30)]
    assert shares == sorted(shares)
    assert shares[-1] == (pred.any() == truth.any())
    assert nsd(there, 1) == nsd(back, 1)


@given(pairs.filter(lambda drawn: drawn[0].ndim == 2), steps)
@settings(max_examples=50)
def test_a_volume_of_one_slice_is_its_slice(drawn, between_slices):
    pred, truth, spacing = drawn
    flat = surface_distances(pred, truth, spacing=spacing)
    volume = surface_distances(pred[None], truth[None], spacing=(between_slices, *spacing))
    np.testing.assert_array_equal(flat.both, volume.both)


def test_farther_and_larger_than_one_band():
    random = np.random.default_rng(0)
    for shape, spacing in (((700, 900), (1.0, 0.4)), ((40, 90, 110), (2.5, 0.7, 0.9))):
        masks = [np.zeros(shape, bool) for _ in range(2)]
        for mask in masks:
            mask.flat[random.integers(0, mask.size, 40)] = True
        found = surface_distances(*masks, spacing=spacing)
        np.testing.assert_allclose(found.pred, distance_transform_edt(~masks[1], sampling=spacing)[masks[0]], rtol=1e-12)


def test_one_thread_gives_the_same_bytes(monkeypatch):
    random = np.random.default_rng(0)
    pred, truth = random.random((2, 30, 200, 300)) < 0.001
    found = []
    for count in (1, 3):
        monkeypatch.setattr(bands, "_limit", [count])
        found.append(nearest(pred, truth, (2.0, 0.3, 0.3)).tobytes())
    assert found[0] == found[1]


def test_as_many_slices_as_two_bytes_count_and_more():
    for rows in (65534, 65535, 65536):
        mask = np.zeros((rows, 1), bool)
        mask[0] = True
        assert nearest(mask[::-1], mask, (1.0, 1.0)).tolist() == [rows - 1]


def test_hausdorff_equals_scikit_image_on_surfaces():
    random = np.random.default_rng(1)
    for _ in range(10):
        pred, truth = random.random((2, 20, 30)) < 0.05
        assert hd(surface_distances(pred, truth)) == pytest.approx(hausdorff_distance(surface(pred), surface(truth)))


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_empty_sides(shape):
    none, one = np.zeros(shape, bool), np.ones(shape, bool)
    both = surface_distances(none, none)
    assert [metric(both) for metric in (hd, hd95, assd)] == [0, 0, 0]
    assert nsd(both, 0) == 1
    for pred, truth in ((one, none), (none, one)):
        found = surface_distances(pred, truth)
        assert all(math.isnan(metric(found)) for metric in (hd, hd95, assd))
        assert nsd(found, 1000) == 0


def test_hd95_is_of_the_worse_direction():
    # All of the small side lies on the large one; of the large side more than 5 % is far away.
    large, small = np.zeros((2, 1, 100), bool)
    large[:] = True
    small[0, :90] = True
    found = surface_distances(small, large)
    assert found.pred.tolist() == [0] * 90
    assert hd95(found) == pytest.approx(np.percentile([0] * 90 + list(range(1, 11)), 95))
    assert hd95(found) > np.percentile(found.both, 95)


def test_a_distance_equal_to_the_tolerance_is_within_however_it_is_rounded():
    pred, truth = np.zeros((2, 1, 9), bool)
    pred[0, 0], truth[0, 3] = True, True
    found = surface_distances(pred, truth, spacing=(0.1, 0.1))
    assert found.pred[0] != 0.3
    assert nsd(found, 0.3) == 1
    assert nsd(found, 0.299) == 0


def test_ignored_pixels_have_no_surface_and_make_none():
    truth = np.zeros((9, 12), bool)
    truth[2:7, 2:10] = True
    ignored = np.zeros_like(truth)
    ignored[:, 8:] = True
    left = surface_distances(truth, truth, ignored=ignored)
    assert len(left.truth) == 6 + 6 + 3  # top, bottom and left side; none where the object runs into the ignored columns
    other = truth.copy()
    other[:, 8:] = False
    assert nsd(surface_distances(other, truth, ignored=ignored), 0) == 1
    assert nsd(surface_distances(other, truth), 0) < 1


def test_inputs_stay_and_any_layout_is_taken():
    truth = np.zeros((8, 7), np.uint8)
    truth[2:5, 1:6] = 3
    truth.flags.writeable = False
    found = surface_distances(truth.T[::-1].T, np.asfortranarray(truth))
    assert hd(found) == hd(surface_distances(np.ascontiguousarray(truth[:, ::-1]), truth)) == 0


def test_what_cannot_be_measured_is_named():
    a = np.zeros((3, 4), bool)
    with pytest.raises(InputError, match=r"shape \(3, 4\) and the truth \(4, 3\)"):
        surface_distances(a, a.T)
    with pytest.raises(InputError, match=r"ignored pixels are bool of shape \(4, 3\)"):
        surface_distances(a, a, ignored=a.T)
    with pytest.raises(InputError, match="ignored pixels are int64"):
        surface_distances(a, a, ignored=a.astype(int))
    with pytest.raises(InputError, match="two axes"):
        surface_distances(a[0], a[0])
    with pytest.raises(InputError, match=r"the truth holds 1 values that are no labels, the first nan at \(0, 0\)"):
        surface_distances(a, np.where(np.eye(3, 4)[::-1][::-1] * [1, 0, 0, 0], np.nan, 0))
    for spacing in ((1.0,), (1.0, 0.0), (1.0, math.nan), 2.0):
        with pytest.raises(InputError, match="2 numbers above zero"):
            surface_distances(a, a, spacing=spacing)
    for tolerance in (-1, math.nan, math.inf):
        with pytest.raises(RecipeError, match="tolerance"):
            nsd(surface_distances(a, a), tolerance)
