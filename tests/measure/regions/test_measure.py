"""The table: its columns, rows, units and refusals."""

import subprocess
import sys

import numpy as np
import pytest

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.events import MicrotomeWarning
from microtome.core.kernels import bands
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.measure.regions import COLUMNS, DEFAULT, measure

FLAT = [name for name, one in COLUMNS.items() if one.ndim != 3]
SOLID = [name for name, one in COLUMNS.items() if one.ndim != 2]


def some_labels(shape=(40, 50), objects=12, seed=0):
    """Labels in small blocks, so that regions are neither single pixels nor whole."""
    coarse = np.random.default_rng(seed).integers(0, objects + 1, [-(-n // 4) for n in shape])
    return np.kron(coarse, np.ones((4,) * len(shape), int))[tuple(slice(n) for n in shape)]


def same(one, other):
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        assert one[name].dtype == other[name].dtype, name


def test_default_columns_in_order():
    mask = InstanceMap(some_labels())
    geometry = [
        "label", "area_px", "centroid_y_px", "centroid_x_px", "box_y0_px", "box_x0_px", "box_y1_px", "box_x1_px",
        "equivalent_diameter_px", "perimeter_px", "major_axis_px", "minor_axis_px", "eccentricity", "orientation_rad",
    ]  # fmt: skip
    assert list(measure(mask).columns) == geometry
    light = ["mean_intensity", "std_intensity", "min_intensity", "max_intensity"]
    assert list(measure(mask, Image(np.ones((40, 50)))).columns) == geometry + light


def test_every_column_has_the_unit_in_its_name():
    mask = InstanceMap(some_labels(), spacing=(0.5, 0.5), unit="um")
    table = measure(mask, Image(np.ones((40, 50))), FLAT)
    assert table.units["area_um2"] == "um2"
    assert table.units["centroid_y_um"] == "um"
    for name, unit in table.units.items():
        assert name.endswith(f"_{unit}")
    assert {"perimeter_um", "major_axis_um", "minor_axis_um", "equivalent_diameter_um", "centroid_x_um"} <= set(table.columns)
    assert not any(name.startswith("box") and name.endswith("um") for name in table.columns)


def test_physical_columns_are_pixels_times_spacing():
    labels = some_labels()
    table = measure(InstanceMap(labels, spacing=(0.65, 0.65), unit="um"))
    np.testing.assert_allclose(table["area_um2"], table["area_px"] * 0.65**2, rtol=1e-12)
    for name in ("centroid_y", "centroid_x", "perimeter", "major_axis", "minor_axis", "equivalent_diameter"):
        np.testing.assert_allclose(table[f"{name}_um"], table[f"{name}_px"] * 0.65, rtol=1e-12)


def test_a_spacing_in_pixels_gives_no_second_column():
    assert not any("um" in name for name in measure(InstanceMap(some_labels(), spacing=(2.0, 1.0))).columns)


def test_a_mask_without_spacing_takes_the_images():
    labels, light = some_labels(), Image(np.ones((40, 50)), spacing=(0.5,), unit="um")
    same(measure(InstanceMap(labels), light), measure(InstanceMap(labels, spacing=(0.5,), unit="um"), light))


def test_two_spacings_are_not_chosen_from_in_silence():
    light = Image(np.ones((40, 50)), spacing=(0.5,), unit="um")
    with pytest.warns(MicrotomeWarning, match=r"mask's spacing \(0.4, 0.4\) um is used"):
        table = measure(InstanceMap(some_labels(), spacing=(0.4,), unit="um"), light, ["area"])
    np.testing.assert_allclose(table["area_um2"], table["area_px"] * 0.16)


@pytest.mark.parametrize("shape", [(5, 6), (0, 6), (5, 0), (1, 1)])
def test_an_empty_mask_has_all_columns_and_no_rows(shape):
    full = measure(InstanceMap(np.ones((3, 3), int), spacing=(1.0,), unit="um"), Image(np.ones((3, 3))), FLAT)
    none = measure(InstanceMap(np.zeros(shape, int), spacing=(1.0,), unit="um"), Image(np.ones(shape)), FLAT)
    assert len(none) == 0
    assert list(none.columns) == list(full.columns)
    assert [c.dtype for c in none.columns.values()] == [c.dtype for c in full.columns.values()]


def test_an_empty_volume_has_all_columns_and_no_rows():
    full = measure(InstanceMap(np.ones((3, 3, 3), int), axes="zyx"), Image(np.ones((3, 3, 3)), axes="zyx"), SOLID)
    none = measure(InstanceMap(np.zeros((3, 3, 3), int), axes="zyx"), Image(np.ones((3, 3, 3)), axes="zyx"), SOLID)
    assert len(none) == 0
    assert list(none.columns) == list(full.columns)


def test_one_pixel():
    row = next(measure(InstanceMap(np.array([[3]])), Image(np.array([[7]], np.uint8)), FLAT).rows())
    expected = {"label": 3, "area_px": 1, "centroid_y_px": 0.0, "box_x1_px": 1, "major_axis_px": 0.0, "minor_axis_px": 0.0,
                "eccentricity": 0.0, "mean_intensity": 7.0, "std_intensity": 0.0, "median_intensity": 7.0, "sum_intensity": 7}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert np.isnan(row["orientation_rad"])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_objects_on_every_edge_and_odd_sizes(dtype):
    labels = np.full((7, 13), 1, dtype)
    table = measure(InstanceMap(labels), None, ["area", "box", "perimeter"])
    assert [table[f"box_{side}_px"][0] for side in ("y0", "x0", "y1", "x1")] == [0, 0, 7, 13]
    assert table["area_px"][0] == 91
    inside = measure(InstanceMap(np.pad(labels, 3)), None, ["perimeter"])
    assert table["perimeter_px"][0] == inside["perimeter_px"][0]


def test_seventy_thousand_objects():
    labels = np.zeros((600, 720), np.int32)
    labels[::2, ::3] = labels[::2, 1::3] = np.arange(1, 72_001).reshape(300, 240)
    light = np.random.default_rng(1).integers(0, 60_000, labels.shape).astype(np.uint16)
    table = measure(InstanceMap(labels), Image(light), FLAT)
    assert len(table) == 72_000
    assert (table["area_px"] == 2).all()
    np.testing.assert_array_equal(table["sum_intensity"], np.bincount(labels.ravel(), light.ravel())[1:])
    np.testing.assert_array_equal(table["median_intensity"], table["mean_intensity"])


def test_numbers_need_not_follow_each_other():
    labels = some_labels()
    far = np.array([0, *np.sort(np.random.default_rng(2).choice(2**31 - 2, 12, replace=False)) + 1])
    far[-1] = 2**31 - 1
    light = Image(np.random.default_rng(3).random(labels.shape))
    near, apart = measure(InstanceMap(labels), light), measure(InstanceMap(far[labels]), light)
    np.testing.assert_array_equal(apart["label"], far[near["label"]])
    for name in list(near.columns)[1:]:
        np.testing.assert_array_equal(apart[name], near[name])


def test_a_view_is_measured_as_a_copy():
    labels, light = some_labels((80, 100)), np.random.default_rng(4).random((80, 100))
    same(measure(InstanceMap(labels[3:61:2, 5:77:3]), Image(light[3:61:2, 5:77:3])),
         measure(InstanceMap(labels[3:61:2, 5:77:3].copy()), Image(light[3:61:2, 5:77:3].copy())))  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_one_thread_and_two_give_the_same_bytes(monkeypatch, dtype):
    rng = np.random.default_rng(5)
    labels, light = rng.integers(0, 40, (700, 90)), (rng.random((700, 90)) * 255).astype(dtype)
    monkeypatch.setattr(bands, "_limit", [1])
    alone = measure(InstanceMap(labels), Image(light), FLAT)
    monkeypatch.setattr(bands, "_limit", [3])
    same(alone, measure(InstanceMap(labels), Image(light), FLAT))


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_size_of_a_block_changes_nothing(monkeypatch, ndim):
    rng = np.random.default_rng(7)
    shape, axes = (9, 30, 31)[-ndim:], "zyx"[-ndim:]
    mask, light = InstanceMap(rng.integers(0, 9, shape), axes=axes), Image(rng.random(shape), axes=axes)
    whole = measure(mask, light)
    monkeypatch.setattr("microtome.measure.regions.regions._BLOCK", 53)
    same(whole, measure(mask, light))


def test_inputs_are_left_alone():
    labels, light = some_labels(), np.random.default_rng(6).random((40, 50))
    before = labels.copy(), light.copy()
    measure(InstanceMap(labels), Image(light), FLAT)
    np.testing.assert_array_equal(labels, before[0])
    np.testing.assert_array_equal(light, before[1])


def test_classes_are_rows_and_background_and_ignored_are_not():
    classes = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(1, "nucleus"), ClassEntry(2, "void", "ignore"),
                          ClassEntry(5, "stroma", "stuff"), ClassEntry(6, "fat", "stuff")))  # fmt: skip
    mask = SemanticMap(np.array([[0, 1, 1], [2, 5, 1]], np.uint8), classes=classes)
    table = measure(mask, None, ["area"])
    assert list(table.columns) == ["label", "class", "area_px"]
    assert list(table.rows()) == [
        {"label": 1, "class": "nucleus", "area_px": 3},
        {"label": 5, "class": "stroma", "area_px": 1},
    ]


def test_zero_may_be_a_class_and_values_may_be_negative():
    classes = ClassTable((ClassEntry(0, "sky", "stuff"), ClassEntry(1, "void", "ignore"), ClassEntry(-3, "ground", "stuff")))
    table = measure(SemanticMap(np.array([[0, 0, 1], [-3, 0, 1]], np.int32), classes=classes), None, ["area"])
    assert list(zip(table["class"], table["area_px"], strict=True)) == [("ground", 1), ("sky", 3)]
    everything = ClassTable((ClassEntry(0, "sky", "stuff"), ClassEntry(1, "ground", "stuff")))
    assert measure(SemanticMap(np.array([[0, 0, 1]], np.uint8), classes=everything), None, ["area"])["area_px"].tolist() == [2, 1]


def test_class_and_score_of_objects_come_along():
    mask = InstanceMap(np.array([[1, 2, 0, 9]]), object_class={1: 1, 2: 4}, object_score={1: 0.5, 9: 0.25})
    table = measure(mask, None, ["area"])
    assert list(table.columns) == ["label", "class", "score", "area_px"]
    assert table["class"].tolist() == ["foreground", "4", ""]
    np.testing.assert_array_equal(table["score"], [0.5, np.nan, 0.25])


@pytest.mark.parametrize("ndim", [2, 3])
def test_all_is_every_measurement_there_is_for_the_mask(ndim):
    axes, shape = "zyx"[-ndim:], (4, 5, 6)[-ndim:]
    mask, light = InstanceMap(some_labels(shape), axes=axes), Image(np.random.default_rng(8).random(shape), axes=axes)
    same(measure(mask, light, ["all"]), measure(mask, light, FLAT if ndim == 2 else SOLID))
    same(measure(mask, light, ["area", "all"]), measure(mask, light, ["all"]))
    blind = [name for name in (FLAT if ndim == 2 else SOLID) if not COLUMNS[name].needs_image]
    same(measure(mask, None, ["all"]), measure(mask, None, blind))
    with pytest.raises(RecipeError, match="unknown measurement 'aera'"):
        measure(mask, light, ["all", "aera"])


def test_one_thread_and_two_give_the_same_bytes_in_volumes(monkeypatch):
    rng = np.random.default_rng(9)
    mask, light = InstanceMap(rng.integers(0, 300, (9, 20, 21)), axes="zyx"), Image(rng.random((9, 20, 21)), axes="zyx")
    monkeypatch.setattr(bands, "_limit", [1])
    alone = measure(mask, light, ["all"])
    monkeypatch.setattr(bands, "_limit", [3])
    same(alone, measure(mask, light, ["all"]))


def test_unknown_name_is_refused_with_near_ones():
    with pytest.raises(RecipeError, match=r"unknown measurement 'aera'; did you mean area"):
        measure(InstanceMap(some_labels()), None, ["aera"])
    with pytest.raises(RecipeError, match="expected a list of names"):
        measure(InstanceMap(some_labels()), None, "area")


def test_different_shapes_are_refused_naming_both():
    with pytest.raises(InputError, match=r"image has shape \(40, 51\).*mask \(40, 50\)"):
        measure(InstanceMap(some_labels()), Image(np.ones((40, 51))))


def test_what_cannot_be_measured_is_refused():
    mask = InstanceMap(some_labels())
    with pytest.raises(InputError, match="mean_intensity needs the image"):
        measure(mask, None, ["area", "mean_intensity"])
    with pytest.raises(InputError, match=r"InstanceMap\(a\)"):
        measure(some_labels())
    with pytest.raises(InputError, match=r"Image\(a\)"):
        measure(mask, np.ones((40, 50)))
    with pytest.raises(InputError, match="complex128"):
        measure(mask, Image(np.ones((40, 50), complex)))
    with pytest.raises(RecipeError, match="middle_axis is for masks with 3"):
        measure(mask, None, ["middle_axis"])


@pytest.mark.parametrize(("asked", "ndim", "given"), [("area", 3, "volume"), ("perimeter", 3, "surface"), ("volume", 2, "area")])
def test_area_of_a_volume_is_its_volume_and_says_so(asked, ndim, given):
    mask = InstanceMap(np.ones((3,) * ndim, int), axes="zyx"[-ndim:])
    with pytest.warns(MicrotomeWarning, match=f"the {asked} of a {ndim}-D mask is its {given}"):
        assert list(measure(mask, None, [asked]).columns) == ["label", f"{given}_px"]


def test_the_default_of_a_volume_is_silent_and_three_dimensional():
    names = list(measure(InstanceMap(np.ones((3, 4, 5), int), axes="zyx")).columns)
    assert names[:5] == ["label", "volume_px", "centroid_z_px", "centroid_y_px", "centroid_x_px"]
    assert "surface_px" in names
    assert not any(name.startswith(("area", "perimeter")) for name in names)


def test_names_are_listed_without_numba():
    code = """
import sys
from microtome.measure.regions import COLUMNS
print(len(COLUMNS), sorted({"numba", "scipy", "skimage"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == f"{len(COLUMNS)} []\n"


def test_each_measurement_is_defined_in_a_sentence():
    for name, one in COLUMNS.items():
        assert name == one.name
        assert one.about.endswith(".")
    assert set(DEFAULT) <= set(COLUMNS)
