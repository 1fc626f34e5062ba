"""The spread of intensities: numpy and scipy, object by object."""

import numpy as np
import pytest
from scipy import stats

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import measure

SPREAD = ["p05_intensity", "p25_intensity", "p75_intensity", "p95_intensity", "mad_intensity", "skewness_intensity", "kurtosis_intensity"]
LABELS = np.kron(np.random.default_rng(0).integers(0, 7, (6, 8)), np.ones((3, 5), int))
WAYS = {
    **{f"p{q:02d}": lambda v, q=q: np.percentile(v, q) for q in (5, 25, 75, 95)},
    "mad": stats.median_abs_deviation, "skewness": stats.skew, "kurtosis": stats.kurtosis,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["bool", "u1", "u2", ">u2", "i2", "i8", "f2", "f4", "f8"])
def test_numpy_and_scipy(dtype):
    light = np.random.default_rng(1).random(LABELS.shape) ** 2
    light = light > 0.3 if dtype == "bool" else (light * 120).astype(dtype)
    table = measure(InstanceMap(LABELS), Image(light), SPREAD)
    for name, way in WAYS.items():
        expected = [way(light[k == LABELS].astype(np.float64)) for k in range(1, 7)]
        np.testing.assert_allclose(table[f"{name}_intensity"], expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_channels_and_volumes():
    rng = np.random.default_rng(2)
    labels, light = rng.integers(0, 5, (3, 4, 5)), rng.random((3, 4, 5, 2))
    table = measure(InstanceMap(labels, axes="zyx"), Image(light, axes="zyxc", channels=("dapi", "gfp")), SPREAD)
    for channel, called in enumerate(("dapi", "gfp")):
        for name, way in WAYS.items():
            expected = [way(light[k == labels, channel]) for k in range(1, 5)]
            np.testing.assert_allclose(table[f"{name}_intensity_{called}"], expected, rtol=1e-9)


def test_a_nan_stays_in_its_object():
    light = np.random.default_rng(3).random(LABELS.shape)
    spoilt = light.copy()
    spoilt[tuple(np.argwhere(LABELS == 4)[7])] = np.nan
    names = [*SPREAD, "weighted_centroid", "texture"]
    before, after = (measure(InstanceMap(LABELS), Image(a), names) for a in (light, spoilt))
    others = before["label"] != 4
    for name in list(before.columns)[1:]:
        np.testing.assert_array_equal(after[name][others], before[name][others])
        assert name in ("glcm_low", "glcm_high") or np.isnan(after[name][~others]).all()


def test_equal_values_have_no_shape():
    table = measure(InstanceMap(LABELS), Image(np.full(LABELS.shape, 5)), SPREAD)
    assert (table["mad_intensity"] == 0).all()
    assert (table["p05_intensity"] == 5).all()
    assert np.isnan(table["skewness_intensity"]).all()
    assert np.isnan(table["kurtosis_intensity"]).all()


def test_an_infinite_value_is_a_percentile_like_any_other():
    table = measure(InstanceMap(np.ones((1, 5), int)), Image(np.array([[np.inf, 1, 2, 3, np.inf]])), SPREAD)
    assert (table["p05_intensity"][0], table["p95_intensity"][0]) == (pytest.approx(1.2), np.inf)
