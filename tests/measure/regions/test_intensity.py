"""Intensities: kinds of numbers, channels, NaN."""

import numpy as np
import pytest

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import measure

LIGHT = ["mean_intensity", "std_intensity", "min_intensity", "max_intensity", "sum_intensity", "median_intensity"]
LABELS = np.kron(np.random.default_rng(0).integers(0, 7, (6, 8)), np.ones((3, 5), int))


def by_hand(light, name):
    return [getattr(np, name)(light[k == LABELS].astype(np.float64)) for k in range(1, 7)]


@pytest.mark.parametrize("dtype", ["bool", "u1", "i1", "u2", "i2", ">u2", "u4", "i4", "i8", "f2", "f4", ">f4", "f8"])
def test_every_kind_of_number(dtype):
    light = (np.random.default_rng(1).random(LABELS.shape) * 120).astype(dtype)
    table = measure(InstanceMap(LABELS), Image(light), LIGHT)
    for name in ("mean", "std", "min", "max", "sum", "median"):
        np.testing.assert_allclose(table[f"{name}_intensity"], by_hand(light, name), rtol=1e-12)
    whole = np.int64 if light.dtype.kind in "bui" else np.float64
    assert {table[name].dtype for name in ("min_intensity", "max_intensity", "sum_intensity")} == {np.dtype(whole)}


@pytest.mark.parametrize("channels", [1, 2, 3, 7])
def test_a_column_a_channel(channels):
    light = np.random.default_rng(2).integers(0, 255, (*LABELS.shape, channels)).astype(np.uint8)
    table = measure(InstanceMap(LABELS), Image(light, axes="yxc"), ["mean_intensity", "median_intensity"])
    names = [""] if channels == 1 else [f"_{k}" for k in range(channels)]
    assert list(table.columns)[1:] == [f"{kind}_intensity{name}" for kind in ("mean", "median") for name in names]
    for k, name in enumerate(names):
        np.testing.assert_array_equal(table[f"mean_intensity{name}"], by_hand(light[..., k], "mean"))
        np.testing.assert_array_equal(table[f"median_intensity{name}"], by_hand(light[..., k], "median"))


def test_channels_are_named_where_their_names_are_known_and_differ():
    light = np.zeros((*LABELS.shape, 2))
    named, twice = (Image(light, axes="yxc", channels=names) for names in (("dapi", "gfp"), ("gfp", "gfp")))
    assert list(measure(InstanceMap(LABELS), named, ["sum_intensity"]).columns)[1:] == ["sum_intensity_dapi", "sum_intensity_gfp"]
    assert list(measure(InstanceMap(LABELS), twice, ["sum_intensity"]).columns)[1:] == ["sum_intensity_0", "sum_intensity_1"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_object(value):
    light = np.random.default_rng(3).random(LABELS.shape)
    spoilt = light.copy()
    spoilt[tuple(np.argwhere(LABELS == 4)[7])] = value
    before, after = (measure(InstanceMap(LABELS), Image(a), LIGHT) for a in (light, spoilt))
    others = before["label"] != 4
    for name in LIGHT:
        np.testing.assert_array_equal(after[name][others], before[name][others])
        if np.isnan(value):
            assert np.isnan(after[name][~others]).all()
    if np.isinf(value):
        assert (after["mean_intensity"][3], after["max_intensity"][3]) == (np.inf, np.inf)
        assert np.isnan(after["std_intensity"][3])
        assert after["median_intensity"][3] == np.median(spoilt[LABELS == 4])


@pytest.mark.parametrize("dtype", [np.uint32, np.int64, np.uint64])
def test_integers_of_any_width_are_never_wrapped(dtype):
    greatest = np.iinfo(dtype).max
    light = np.where(LABELS == 1, greatest, 7).astype(dtype)
    table = measure(InstanceMap(LABELS), Image(light), ["min_intensity", "max_intensity", "sum_intensity"])
    area = int(np.count_nonzero(LABELS == 1))
    assert [float(table[name][0]) for name in table.columns if name != "label"] == [float(greatest)] * 2 + [float(area * int(greatest))]
    assert table["max_intensity"][1] == 7


def test_a_large_mean_costs_no_digits_of_the_spread():
    light = np.random.default_rng(4).normal(0, 1, LABELS.shape)
    table = measure(InstanceMap(LABELS), Image(light + 1e9), ["std_intensity"])
    np.testing.assert_allclose(table["std_intensity"], by_hand(light, "std"), rtol=1e-6)


def test_a_constant_object_has_no_spread():
    for dtype in (np.uint16, np.float32):
        assert (measure(InstanceMap(LABELS), Image(np.full(LABELS.shape, 0.1 * 999, dtype)), ["std_intensity"])["std_intensity"] == 0).all()
