"""Pictures with a grain are known by how brightness changes along the axes; others are not taken for such."""

from __future__ import annotations

import numpy as np
import pytest

from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.learn.augment.grain import grain_of, have_grain
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import load


def stripes(noise=0.0, seed=0):
    """Upright stripes with a period of sixteen pixels."""
    random = np.random.default_rng(seed)
    return np.sin(np.arange(128) * np.pi / 8) * np.ones((96, 1)) + noise * random.normal(size=(96, 128))


def test_the_ratio_of_a_ramp_is_that_of_its_slopes():
    y, x = np.mgrid[:64, :80]
    assert np.exp(grain_of(Image(3.0 * x + 1.5 * y))) == pytest.approx(2)


def test_a_turned_picture_has_the_grain_of_the_other_axis():
    one = stripes(0.5)
    assert grain_of(Image(one.T)) == pytest.approx(-grain_of(Image(one)))
    coloured = np.repeat(one[..., None], 3, axis=-1)
    assert grain_of(Image(coloured, axes="yxc")) == pytest.approx(grain_of(Image(one)))
    assert grain_of(Image(np.stack([one, one]), axes="zyx")) == pytest.approx(grain_of(Image(one)))


def test_lines_of_a_scanner_are_no_grain():
    random = np.random.default_rng(0)
    lines = random.normal(size=(256, 1)) * 0.2 + random.normal(size=(16, 16)).repeat(16, 0).repeat(16, 1)
    whole = np.log(np.abs(np.diff(lines, axis=0)).mean() / np.abs(np.diff(lines, axis=1)).mean())
    assert whole > 0.5
    assert abs(grain_of(Image(lines))) < 0.6 * whole


@pytest.mark.parametrize("pixels", [np.zeros((32, 32)), np.zeros((7, 32)), np.full((32, 32), np.inf)])
def test_what_shows_nothing_is_not_counted(pixels):
    assert np.isnan(grain_of(Image(pixels)))
    assert have_grain([float("nan")] * 100 + [0.5] * 7)[0] is False


def test_a_set_has_a_grain_if_most_pictures_have_the_same():
    assert have_grain([0.5] * 18 + [-0.5] * 2) == (
        True, "brightness changes 1.6 times as much across as down, in 90% of the pictures: they are hardly turned")  # fmt: skip
    assert have_grain([-0.5] * 8)[1].startswith("brightness changes 1.6 times as much down as across, in 100%")
    for none in ([0.5] * 16 + [-0.5] * 4, [0.3] * 20, [0.5] * 7, []):
        assert have_grain(none)[0] is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [("magnetic_tile/train", True), ("isbi2012/train", False), ("dsb2018_nuclei/fluorescence/train", False),
     ("dsb2018_nuclei/histology/train", False)],
)  # fmt: skip
def test_ground_metal_has_a_grain_and_cells_have_none(labelled_sets, name, expected):
    with collect_warnings():
        dataset = find_dataset(labelled_sets / name)
    grains = [grain_of(load(dataset, entry).image) for entry in dataset.entries[:60]]
    assert have_grain(grains)[0] is expected
