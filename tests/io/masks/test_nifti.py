"""Masks as NIfTI: ids, classes and place come back exactly; values that are no ids are refused."""

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import read_mask, write_mask, write_mask_as

law = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
IDS = np.array([[[0, 1], [2, 300]], [[0, 0], [7, 70000]]])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@given(pixels=arrays(np.int32, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)), elements=st.integers(0, 2**31 - 1)))
@law
def test_objects_of_volumes_come_back_with_all_that_is_known(tmp_path, suffix, pixels):
    known = {"spacing": (2.5, 0.65, 0.651), "unit": "mm", "origin": (-1.1, 2.2, 3.3), "direction": (0.6, 0.8, 0, 0, 0, 1, 0.8, -0.6, 0)}
    mask = InstanceMap(pixels, "zyx", object_score={int(pixels.max()): 0.3}, classes=ClassTable.binary("Zelle"), **known)
    write_mask_as(mask, tmp_path / f"m{suffix}")
    back = read_mask(tmp_path / f"m{suffix}")
    assert isinstance(back, InstanceMap)
    np.testing.assert_array_equal(back.pixels, pixels)
    assert (back.axes, back.classes, back.object_score) == ("zyx", mask.classes, mask.object_score)
    assert {name: getattr(back, name) for name in known} == known
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / f"m{suffix}").dataobj), pixels.T)


def test_classes_of_pictures_come_back_in_the_smallest_type(tmp_path):
    table = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(3, "Herz", "stuff"), ClassEntry(255, "void", "ignore")))
    mask = SemanticMap(np.array([[0, 3], [255, 3]], np.uint8), classes=table, spacing=(0.5, 0.5), unit="mm")
    path = write_mask(mask, tmp_path / "m.02", family="nifti")
    back = read_mask(path)
    assert (path.name, back.classes, back.pixels.dtype, back.spacing, back.axes) == ("m.02.nii.gz", table, np.uint8, (0.5, 0.5), "yx")
    assert nibabel.load(path).get_data_dtype() == np.uint8
    negative = SemanticMap(np.array([[-4, 3]]))
    assert read_mask(write_mask(negative, tmp_path / "n", family="nifti")).pixels.tolist() == [[-4, 3]]


def test_whole_numbers_saved_as_floats_are_ids_and_told(tmp_path):
    nibabel.save(nibabel.Nifti1Image(IDS.T.astype(np.float32), np.eye(4)), tmp_path / "m.nii")
    with collect_warnings() as said:
        mask = read_mask(tmp_path / "m.nii")
    assert "labels saved as float32" in said[0]
    np.testing.assert_array_equal(mask.pixels, IDS)


@pytest.mark.parametrize(("slope", "inter", "sound"), [(2, 1, True), (0.5, 0, False), (1, 0.5, False), (1, -1, True)])
def test_scaled_labels_are_ids_only_where_all_are_whole(tmp_path, slope, inter, sound):
    file = nibabel.Nifti1Image(IDS.T.astype(np.int32), np.eye(4))
    nibabel.save(file, tmp_path / "m.nii")
    data = bytearray((tmp_path / "m.nii").read_bytes())
    data[112:120] = np.array([slope, inter], "<f4").tobytes()
    (tmp_path / "m.nii").write_bytes(data)
    if not sound:
        with pytest.raises(
            InputError, match=rf"m\.nii: \d+ values, scaled as the header asks \(times {slope} plus {inter}\), are not whole"
        ):
            read_mask(tmp_path / "m.nii", kind="semantic")
        return
    with collect_warnings() as said:
        mask = read_mask(tmp_path / "m.nii", kind="semantic")
    assert "scaled as the header asks" in said[0]
    np.testing.assert_array_equal(mask.pixels, IDS * slope + inter)


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf])
def test_pictures_are_no_masks(tmp_path, bad):
    pixels = IDS.astype(np.float64)
    pixels[0, 1, 0] = bad
    nibabel.save(nibabel.Nifti1Image(pixels.T, np.eye(4)), tmp_path / "m.nii.gz")
    with pytest.raises(InputError, match=r"m\.nii\.gz: 1 values are not whole numbers \(first .* at \(0, 1, 0\)\)"):
        read_mask(tmp_path / "m.nii.gz")


def test_ids_beyond_32_bits_are_refused(tmp_path):
    for value in (2**40, 1e300):
        pixels = np.full((2, 2, 2), value, type(value) if isinstance(value, float) else np.int64)
        nibabel.save(nibabel.Nifti1Image(pixels, np.eye(4), dtype=pixels.dtype), tmp_path / "m.nii")
        with collect_warnings(), pytest.raises(InputError, match=r"32 bits|above"):
            read_mask(tmp_path / "m.nii")


def test_the_place_must_be_one(tmp_path):
    with pytest.raises(InputError, match=r"m\.nii: a place in the world"):
        write_mask_as(InstanceMap(IDS, "zyx", (1, 1, 1), "mm", origin=(1, 2)), tmp_path / "m.nii")
    assert not list(tmp_path.iterdir())
