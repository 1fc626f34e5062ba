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
    def lines(seed):
        random = np.random.default_rng(seed)
        return random.normal(size=(256, 1)) * 0.2 + random.normal(size=(16, 16)).repeat(16, 0).repeat(16, 1)

    ratios = [np.log(np.abs(np.diff(lines(n), axis=0)).mean() / np.abs(np.diff(lines(n), axis=1)).mean()) for n in range(12)]
    assert have_grain([-one for one in ratios])[0] is True
    assert have_grain([grain_of(Image(lines(n))) for n in range(12)])[0] is False


@pytest.mark.parametrize(
    "pixels", [np.zeros((32, 32)), np.zeros((7, 32)), np.full((32, 32), np.inf), np.tile([[1.7e308], [-1.7e308]], (16, 32))]
)
def test_what_shows_nothing_is_not_counted(pixels):
    assert np.isnan(grain_of(Image(pixels)))
    assert "fewer than 12" in have_grain([float("nan")] * 100 + [0.5] * 11)[1]
    assert "in 100% of 12" in have_grain([float("nan")] * 100 + [0.5] * 12)[1]


@pytest.mark.parametrize(
    ("grains", "expected", "reason"),
    [
        ([0.5] * 18 + [-0.5] * 2, True, "brightness changes 1.6 times as much across as down, in 90% of 20 pictures"),
        ([-0.5] * 12, True, "brightness changes 1.6 times as much down as across, in 100%"),
        ([9.0] * 12, True, "more than 10 times"),
        ([0.5] * 16 + [-0.5] * 4, False, "but only in 80%"),
        ([0.3] * 20, False, "1.3 times as much across as down, no more"),
        ([], False, "fewer than 12"),
    ],
)  # fmt: skip
def test_a_set_has_a_grain_if_most_pictures_have_the_same(grains, expected, reason):
    found, why = have_grain(grains)
    assert found is expected
    assert reason in why


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
