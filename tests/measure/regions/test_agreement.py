"""scikit-image's region properties, where the definition is the same, and a slow obvious second implementation where it has none."""

import numpy as np
import pytest
from skimage import data
from skimage.measure import label, regionprops_table

from microtome.core.raster import Image, InstanceMap
from microtome.measure.regions import COLUMNS, measure

SAME = {
    "label": "label", "area": "area_px", "centroid-0": "centroid_y_px", "centroid-1": "centroid_x_px",
    "bbox-0": "box_y0_px", "bbox-1": "box_x0_px", "bbox-2": "box_y1_px", "bbox-3": "box_x1_px",
    "equivalent_diameter_area": "equivalent_diameter_px", "perimeter_crofton": "perimeter_px",
    "axis_major_length": "major_axis_px", "axis_minor_length": "minor_axis_px",
    "eccentricity": "eccentricity", "orientation": "orientation_rad",
    "extent": "extent", "area_convex": "convex_area_px", "solidity": "solidity", "euler_number": "euler",
    "inertia_tensor_eigvals-0": "inertia_1_px2", "inertia_tensor_eigvals-1": "inertia_2_px2",
    "moments_central-2-0": "central_moment_yy_px2", "moments_central-1-1": "central_moment_yx_px2",
    "moments_central-0-2": "central_moment_xx_px2", "moments_central-3-0": "central_moment_yyy_px3",
    "moments_central-2-1": "central_moment_yyx_px3", "moments_central-1-2": "central_moment_yxx_px3",
    "moments_central-0-3": "central_moment_xxx_px3",
    "moments_normalized-2-0": "normalised_moment_yy", "moments_normalized-1-1": "normalised_moment_yx",
    "moments_normalized-0-2": "normalised_moment_xx", "moments_normalized-2-1": "normalised_moment_yyx",
    "moments_normalized-0-3": "normalised_moment_xxx",
    **{f"moments_hu-{number}": f"hu_{number + 1}" for number in range(7)},
}  # fmt: skip
LIGHT = {f"intensity_{name}": f"{name}_intensity" for name in ("mean", "std", "min", "max", "median")}
LIGHT |= {"centroid_weighted-0": "weighted_centroid_y_px", "centroid_weighted-1": "weighted_centroid_x_px"}
EXACT = ("label", "area_px", "convex_area_px", "euler", "box_y0_px", "box_x0_px", "box_y1_px", "box_x1_px")
ROUNDED = {"central_moment_yyy_px3": 1e-5, "central_moment_yyx_px3": 1e-5, "central_moment_yxx_px3": 1e-5, "central_moment_xxx_px3": 1e-5}


def coins():
    return label(data.coins() > 110), data.coins()


def cells():
    return label(data.cell() > 90), data.cell().astype(np.float32) / 255


def noise():
    rng = np.random.default_rng(0)
    return rng.integers(0, 30, (60, 71)), rng.integers(0, 65_536, (60, 71)).astype(np.uint16)


def blocks():
    rng = np.random.default_rng(1)
    return np.kron(rng.integers(0, 9, (9, 13)), np.ones((5, 4), int)), rng.normal(1e6, 1, (45, 52))


@pytest.mark.parametrize("example", [coins, cells, noise, blocks])
def test_agrees_with_scikit_image(example):
    labels, light = example()
    columns = {**SAME, **LIGHT}
    properties = list(dict.fromkeys(name.split("-")[0] for name in columns))
    peer = regionprops_table(labels, light.astype(np.float64), properties=properties)
    ours = measure(InstanceMap(labels), Image(light), [name for name, one in COLUMNS.items() if one.ndim != 3])
    for theirs, name in columns.items():
        # an orientation of no direction is empty here and -pi/4 there; their short axis of a line is rounding
        there = ~np.isnan(ours[name])
        np.testing.assert_allclose(ours[name][there], peer[theirs][there], rtol=1e-8, atol=ROUNDED.get(name, 2e-7), err_msg=name)
    for theirs, name in SAME.items():
        if name in EXACT:
            np.testing.assert_array_equal(ours[name], peer[theirs], err_msg=name)


def test_orientation_is_empty_only_where_no_axis_is_longer():
    labels = np.zeros((12, 30), int)
    labels[2:6, 2:6], labels[2:8, 10:14], labels[2:6, 20:26] = 1, 2, 3
    np.testing.assert_array_equal(measure(InstanceMap(labels), None, ["orientation"])["orientation_rad"], [np.nan, 0, np.pi / 2])


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.5, 0.7)])
def test_volumes_agree_with_a_loop_over_objects(spacing):
    rng = np.random.default_rng(2)
    labels = np.kron(rng.integers(0, 6, (3, 4, 5)), np.ones((3, 4, 3), int))
    light = rng.random(labels.shape)
    mask = InstanceMap(labels, axes="zyx", spacing=spacing, unit="um")
    table = measure(mask, Image(light, axes="zyx"), [name for name, one in COLUMNS.items() if one.ndim != 2])
    for k, number in enumerate(table["label"]):
        places = np.argwhere(labels == number)
        inside = light[labels == number]
        assert table["volume_px"][k] == len(places)
        np.testing.assert_allclose(table["volume_um3"][k], len(places) * np.prod(spacing))
        for axis, name in enumerate("zyx"):
            np.testing.assert_allclose(table[f"centroid_{name}_um"][k], places[:, axis].mean() * spacing[axis])
            assert table[f"box_{name}0_px"][k] == places[:, axis].min()
            assert table[f"box_{name}1_px"][k] == places[:, axis].max() + 1
        variances, vectors = np.linalg.eigh(np.cov((places * spacing).T, bias=True))
        for name, variance in zip(("minor_axis_um", "middle_axis_um", "major_axis_um"), variances, strict=True):
            np.testing.assert_allclose(table[name][k], np.sqrt(20 * variance))
        np.testing.assert_allclose(table["eccentricity"][k], np.sqrt(1 - variances[0] / variances[2]))
        axis = [table[f"orientation_{name}"][k] for name in "zyx"]
        np.testing.assert_allclose(abs(np.dot(axis, vectors[:, 2])), 1)
        assert max(axis, key=abs) > 0
        for name in ("mean", "std", "min", "max", "sum", "median"):
            np.testing.assert_allclose(table[f"{name}_intensity"][k], getattr(np, name)(inside))


def test_volumes_agree_with_scikit_image():
    labels = np.kron(np.random.default_rng(3).integers(0, 6, (3, 4, 5)), np.ones((3, 4, 3), int))
    peer = regionprops_table(labels, properties=["area", "axis_major_length", "axis_minor_length", "equivalent_diameter_area"])
    table = measure(InstanceMap(labels, axes="zyx"), None, ["volume", "major_axis", "minor_axis", "equivalent_diameter"])
    for ours, theirs in zip(list(table.columns)[1:], peer, strict=True):
        np.testing.assert_allclose(table[ours], peer[theirs])
