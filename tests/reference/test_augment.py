"""The numbers of the reference catalogue for augmentation: each derived by hand, or computed by a peer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import rotate

from microtome.learn.augment.border import block
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.geometry import affine, elastic, flips
from microtome.learn.augment.overlap_tile import margins, padded
from microtome.learn.augment.place import place
from microtome.learn.augment.placement import spline_basis
from microtome.learn.augment.randomness import generator
from microtome.learn.data.windows import Sampling, Survey, plan


def test_reflect_does_not_repeat_the_edge():
    line = np.array([1, 2, 3, 4])
    assert padded(line, (2,), ndim=1).tolist() == [3, 2, 1, 2, 3, 4, 3, 2]
    assert np.pad(line, 2, "symmetric").tolist() == [2, 1, 1, 2, 3, 4, 4, 3]
    assert padded(line, (7,), ndim=1).tolist() == np.pad(line, 7, "reflect").tolist()  # more than it has: reflected repeatedly
    assert block(line, [-1], [6], border="constant").tolist() == [0, 1, 2, 3, 4, 0]


def test_u_nets_margin():
    """572 to 388 at depth 5: 184 pixels less, 92 on each side."""
    assert margins((572, 572), (388, 388)) == (92, 92)


@pytest.mark.parametrize(("shape", "count"), [((3, 4), 8), ((2, 3, 4), 48)])
def test_symmetries(shape, count):
    example = Example(np.arange(np.prod(shape), dtype=np.uint16).reshape(*shape, 1))
    rng = np.random.default_rng(0)
    seen = {(moved.shape, moved.tobytes()) for moved in (flips.apply(flips.draw(rng, example.frame), example).image for _ in range(900))}
    assert len(seen) == count
    for _, values in seen:
        assert sorted(np.frombuffer(values, np.uint16).tolist()) == list(range(np.prod(shape)))


def test_the_affine_map_is_about_the_middle():
    """p_in = A^-1 (p_out - c) + c with c = (n - 1) / 2: the middle stays, and a scale of 2 about 1.5 sends 0 to 0.75."""
    drawn = {"rotation": 0.0, "tilt": [0.0, 0.0], "scale": 2.0, "shear": 0.0, "shift": [0.0, 0.0]}
    places = place([("affine", drawn)], Frame((4, 5))).coordinates((0, 0))
    np.testing.assert_allclose(places[0, :, 0], [0.75, 1.25, 1.75, 2.25])
    np.testing.assert_allclose(places[1, 0], [1, 1.5, 2, 2.5, 3])


def test_affine_draws_within_its_ranges():
    rng = np.random.default_rng(0)
    drawn = [affine.draw(rng, Frame((64, 64))) for _ in range(2000)]
    for name, low, high in (("rotation", -180, 180), ("scale", 0.7, 1.4), ("shear", -5, 5)):
        values = np.array([one[name] for one in drawn])
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high


def test_interpolated_labels_would_be_other_objects():
    """A map of objects 2 and 4, turned by 30 degrees: linear interpolation makes 1 and 3 too, the nearest pixel only 0, 2 and 4."""
    labels = np.zeros((32, 32), np.uint8)
    labels[4:16, 4:16], labels[16:28, 8:24] = 2, 4
    drawn = {"rotation": 30.0, "tilt": [0.0, 0.0], "scale": 1.0, "shear": 0.0, "shift": [0.0, 0.0]}
    as_image = apply([("affine", drawn)], Example(labels[..., None]), border="constant").image
    as_labels = apply([("affine", drawn)], Example(labels[..., None], classes=labels), border="constant").classes
    assert set(np.unique(as_image)) == {0, 1, 2, 3, 4} == set(np.unique(np.rint(rotate(labels, -30, order=1, preserve_range=True))))
    assert set(np.unique(as_labels)) == {0, 2, 4} == set(np.unique(rotate(labels, -30, order=0, preserve_range=True)))


def test_u_nets_elastic_field():
    """3 x 3 displacements of N(0, 10 px), corners at the image's corners, bicubic in between; at the knots the drawn value."""
    frame = Frame((257, 385))
    drawn = elastic.draw(np.random.default_rng(4), frame)
    grid = np.asarray(drawn["grid"])
    assert grid.shape == (2, 3, 3)
    moved = place([("elastic", drawn)], frame).coordinates((0, 0)) - np.stack(np.mgrid[:257, :385])
    for row, y in enumerate((0, 128, 256)):
        for column, x in enumerate((0, 192, 384)):
            np.testing.assert_allclose(moved[:, y, x], grid[:, row, column], atol=1e-4)
    at = np.meshgrid(np.linspace(0, 2, 257), np.linspace(0, 2, 385), indexing="ij")
    for axis in range(2):
        peer = ndimage.map_coordinates(grid[axis], at, order=3, mode="mirror")
        np.testing.assert_allclose(moved[axis], peer, atol=1e-4)
    zoomed = ndimage.zoom(grid[0], (257 / 3, 385 / 3), order=3, mode="mirror")
    np.testing.assert_allclose(moved[0], zoomed, atol=1e-4)


def test_the_displacements_have_the_papers_deviation():
    values = np.array([elastic.draw(generator(k), Frame((64, 64)))["grid"] for k in range(800)])
    assert values.std() == pytest.approx(10, rel=0.02)
    assert values.mean() == pytest.approx(0, abs=0.3)


def test_the_spline_through_three_knots_by_hand():
    """B-spline coefficients of (0, 1, 0) mirrored: c0 = -1, c1 = 2; half way, 23/48 of -1, 1/48 of 2 mirrored, and so on: one half."""
    basis = spline_basis(5, 3)
    np.testing.assert_allclose(basis[:, 1], [0, 0.5, 1, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(basis.sum(1), 1)


def test_one_window_in_three_is_around_a_class():
    """At least a third; random ones hit the place too, once in (64 - 8)^2."""
    places = {value: np.array([[y, 30]], np.int32) for value, y in ((1, 20), (2, 40))}
    survey = Survey("a", (64, 64), 1, "uint8", "classes", {0: 4094, 1: 1, 2: 1}, places)
    windows = plan([survey], (9, 9), classes=[1, 2], sampling=Sampling(windows=6000))
    around = {y: sum(window.centre == (y, 30) for window in windows) / 6000 for y in (20, 40)}
    assert around[20] == pytest.approx(1 / 6, abs=0.02)
    assert around[40] == pytest.approx(1 / 6, abs=0.02)


def test_the_defaults_are_the_catalogues():
    document = dict(pair for step in chain_of(["affine", "elastic", "gamma", "hed_jitter", "hue", "gaussian_noise", "blur"]).document()
                    for pair in step.items())  # fmt: skip
    assert document["affine"]["rotation"] == [-180, 180]
    assert document["affine"]["scale"] == [0.7, 1.4]
    assert document["affine"]["shear"] == [-5, 5]
    assert (document["elastic"]["knots"], document["elastic"]["sigma"]) == (3, 10)
    assert document["gamma"]["exponent"] == [0.7, 1.5]
    assert document["hed_jitter"]["factor"] == document["hed_jitter"]["shift"] == 0.02
    assert document["hue"]["shift"] == [-0.02, 0.02]
    assert document["gaussian_noise"]["sigma"] == [0, 0.1]
    assert document["blur"]["sigma"] == [0.5, 1.5]
