"""NIfTI volumes: values and place come back exactly, as nibabel sees them too; what is no volume is refused by name."""

import contextlib
import gzip
import struct
import sys

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.errors import InputError, MissingExtra
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.io.find import stem_of
from microtome.io.images import read, shape_of, write
from microtome.io.images.nifti import recognise
from microtome.io.masks import read_mask

law = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
TYPES = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64)
steps = st.floats(1e-3, 1e3)
places = st.floats(-1e4, 1e4)


def turned(seed):
    """A rotation or a reflection, drawn at random."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def told(call, *arguments, **settings_):
    with collect_warnings() as said:
        found = call(*arguments, **settings_)
    return found, said


def place(image):
    return image.spacing, image.unit, image.origin, image.direction


@pytest.fixture
def volume():
    return np.arange(24, dtype=np.int16).reshape(2, 3, 4)  # z, y, x


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@given(data=st.data())
@law
def test_values_and_place_come_back_exactly(tmp_path, suffix, data):
    dtype = data.draw(st.sampled_from(TYPES))
    shape = data.draw(st.tuples(st.integers(2, 4), st.integers(1, 4), st.integers(1, 4)))
    pixels = data.draw(arrays(dtype, shape))
    known = {}
    if data.draw(st.booleans()):
        known = {"spacing": data.draw(st.tuples(steps, steps, steps)), "unit": data.draw(st.sampled_from(["mm", "um", "m"]))}
        if data.draw(st.booleans()):
            known["origin"] = data.draw(st.tuples(places, places, places))
            known["direction"] = tuple(turned(data.draw(st.integers(0, 99))).ravel().tolist())
    image = Image(pixels, axes="zyx", **known)
    path = tmp_path / f"v{suffix}"
    write(image, path)
    back = read(path)
    assert (back.axes, back.pixels.dtype, place(back)) == ("zyx", pixels.dtype, place(image))
    np.testing.assert_array_equal(back.pixels, pixels)
    assert shape_of(path) == shape
    theirs = nibabel.load(path)
    np.testing.assert_array_equal(theirs.dataobj.get_unscaled(), pixels.T)
    if "origin" in known:
        index = np.array([1, 2, 3])  # z, y, x
        world = np.array(image.origin) + np.reshape(image.direction, (3, 3)) @ (np.array(image.spacing) * index)
        np.testing.assert_allclose(theirs.affine @ [*index[::-1], 1], [*world, 1], rtol=1e-5, atol=1e-2)
    before = path.read_bytes()
    write(image, path)
    assert path.read_bytes() == before


def test_other_programs_files_as_they_say(tmp_path, volume):
    affine = np.array([[-0.65, 0, 0, 90], [0, 0, 2.5, -126], [0, 0.7, 0, -72.3], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(volume.T, affine), tmp_path / "v.nii.gz")
    image = read(tmp_path / "v.nii.gz")
    np.testing.assert_array_equal(image.pixels, volume)
    assert place(image) == ((2.5, 0.7, 0.65), "mm", (90, -126, -72.3), (0, 0, -1, 1, 0, 0, 0, 1, 0))


@given(seed=st.integers(0, 999))
@law
def test_sform_and_qform_lead_to_the_same_place(tmp_path, seed):
    turn = turned(seed) * np.array([0.5, 0.75, 3.0])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, [10.5, -20.25, 30]
    found = []
    for name in ("sform", "qform"):
        file = nibabel.Nifti1Image(np.zeros((4, 3, 2), np.int16), None)
        file.header.set_zooms((0.5, 0.75, 3.0))
        getattr(file, f"set_{name}")(affine, code=1)
        nibabel.save(file, tmp_path / "v.nii")
        image, said = told(read, tmp_path / "v.nii")
        assert not said
        assert image.spacing == (3.0, 0.75, 0.5)
        assert image.origin == (10.5, -20.25, 30)
        np.testing.assert_allclose(np.reshape(image.direction, (3, 3))[:, ::-1], turn / [0.5, 0.75, 3.0], atol=1e-3)
        found.append(image.direction)
    np.testing.assert_allclose(*found, atol=1e-3)  # a quaternion of 32 bits


def test_the_sform_is_taken_where_they_disagree_and_that_is_told(tmp_path, volume):
    file = nibabel.Nifti1Image(volume.T, None)
    file.set_sform(np.diag([2.0, 2, 2, 1]), code=2)
    file.set_qform(np.diag([1.0, 1, 1, 1]), code=1)
    nibabel.save(file, tmp_path / "v.nii")
    image, said = told(read, tmp_path / "v.nii")
    assert image.spacing == (2, 2, 2)
    assert "its sform and qform place it differently" in said[0]


def test_a_volume_moved_by_another_program_is_where_that_says(tmp_path, volume):
    write(Image(volume, "zyx", (3, 2, 1.1), "mm", (1, 2, 3), (0, 0, 1, 0, 1, 0, 1, 0, 0)), tmp_path / "v.nii")
    file = nibabel.load(tmp_path / "v.nii")
    moved = file.affine.copy()
    moved[:3, 3] += 10
    nibabel.save(nibabel.Nifti1Image(np.asarray(file.dataobj), moved, file.header), tmp_path / "w.nii")
    assert len(nibabel.load(tmp_path / "w.nii").header.extensions) == 1  # our note went along
    assert place(read(tmp_path / "w.nii")) == ((3, 2, 1.1), "mm", (11, 12, 13), (0, 0, 1, 0, 1, 0, 1, 0, 0))


def test_pictures_of_two_axes(tmp_path):
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write(Image(picture, spacing=(0.5, 0.25), unit="mm"), tmp_path / "a.nii")
    image = read(tmp_path / "a.nii")
    assert (image.axes, image.spacing, nibabel.load(tmp_path / "a.nii").shape) == ("yx", (0.5, 0.25), (4, 3))
    np.testing.assert_array_equal(image.pixels, picture)
    nibabel.save(nibabel.Nifti1Image(picture.T[..., None], np.diag([0.25, 0.5, 9, 1])), tmp_path / "b.nii")
    image = read(tmp_path / "b.nii")
    assert (image.axes, image.spacing) == ("yx", (0.5, 0.25))
    assert shape_of(tmp_path / "b.nii") == (3, 4)
    np.testing.assert_array_equal(image.pixels, picture)


def test_scaled_values_and_big_endian_files_and_nifti_2(tmp_path, volume):
    file = nibabel.Nifti1Image(volume.T, np.eye(4))
    file.header.set_slope_inter(2, -1024)
    nibabel.save(file, tmp_path / "ct.nii")
    raw = bytearray((tmp_path / "ct.nii").read_bytes())
    assert struct.unpack_from("<2f", raw, 112) == (2, -1024)
    stored = nibabel.load(tmp_path / "ct.nii").dataobj.get_unscaled()
    image, said = told(read, tmp_path / "ct.nii")
    assert "2 times the stored number plus -1024" in said[0]
    np.testing.assert_array_equal(image.pixels, stored.T * 2.0 - 1024)
    big = nibabel.Nifti1Header(endianness=">")
    big.set_data_dtype(np.int16)
    for kind in (nibabel.Nifti1Image(volume.T, np.eye(4), big), nibabel.Nifti2Image(volume.T, np.eye(4))):
        nibabel.save(kind, tmp_path / "v.nii")
        image = read(tmp_path / "v.nii")
        assert image.pixels.dtype == np.dtype(np.int16)
        np.testing.assert_array_equal(image.pixels, volume)
    write(Image(np.zeros((1, 40000), np.uint8)), tmp_path / "long.nii.gz")
    assert read(tmp_path / "long.nii.gz").shape == (1, 40000)


@pytest.mark.parametrize(("shape", "words"), [
    ((4, 3, 2, 5), "4 x 3 x 2 x 5 .*: a time series"),
    ((4, 3, 2, 1, 3), "a set of vectors"),
])  # fmt: skip
def test_more_than_a_volume_is_refused_by_name(tmp_path, shape, words):
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), tmp_path / "v.nii")
    with pytest.raises(InputError, match=rf"v\.nii: its dimensions are {words}" if "x" in words else words):
        read(tmp_path / "v.nii")
    with pytest.raises(InputError, match=r"v\.nii: its dimensions"):
        read_mask(tmp_path / "v.nii")


def test_what_is_no_real_number_is_refused(tmp_path):
    for dtype, words in (([("R", "u1"), ("G", "u1"), ("B", "u1")], "colours"), (np.complex64, "complex numbers")):
        nibabel.save(nibabel.Nifti1Image(np.zeros((4, 3, 2), dtype), np.eye(4)), tmp_path / "v.nii")
        with pytest.raises(InputError, match=words):
            read(tmp_path / "v.nii")
    nibabel.save(nibabel.Nifti1Pair(np.zeros((4, 3, 2), np.int16), np.eye(4)), tmp_path / "p.img")
    with pytest.raises(InputError, match=r"p\.hdr: the header of a pair"):
        read(tmp_path / "p.hdr")


def test_a_small_file_that_claims_much_is_refused_before_it_is_unpacked(tmp_path, volume):
    write(Image(volume, "zyx"), tmp_path / "v.nii")
    head = bytearray((tmp_path / "v.nii").read_bytes())
    struct.pack_into("<3h", head, 42, 30000, 30000, 30000)
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(bytes(head) + bytes(1000)))
    for reader in (read, read_mask):
        with pytest.raises(InputError, match=r"bomb\.nii\.gz: its header says 30,000 x 30,000 x 30,000"):
            reader(tmp_path / "bomb.nii.gz")
    struct.pack_into("<f", head, 108, 1e30)
    (tmp_path / "far.nii").write_bytes(head)
    with pytest.raises(InputError, match="voxels should begin at byte"):
        read(tmp_path / "far.nii")


@given(cut=st.integers(0, 399), flips=st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), max_size=3))
@law
def test_damaged_files_are_told(tmp_path, cut, flips):
    write(Image(np.ones((3, 4, 5), np.uint8), "zyx", (1, 1, 1), "mm", (0, 0, 0)), tmp_path / "v.nii")
    whole = bytearray((tmp_path / "v.nii").read_bytes())
    for packed in (False, True):
        data = gzip.compress(bytes(whole)) if packed else bytes(whole)
        (tmp_path / "cut.nii").write_bytes(data[: min(cut, len(data) - 9)])
        for reader in (read, read_mask):
            with pytest.raises(InputError, match=r"cut\.nii"):
                reader(tmp_path / "cut.nii")
    for at, value in flips:
        whole[at] = value
    (tmp_path / "odd.nii").write_bytes(whole)
    for reader in (read, read_mask):
        with contextlib.suppress(InputError):
            told(reader, tmp_path / "odd.nii")


def test_what_has_no_room_is_refused_or_told(tmp_path, volume):
    with pytest.raises(InputError, match="one value a voxel, found axes 'zyxc'"):
        write(Image(np.zeros((2, 2, 2, 3), np.uint8), "zyxc"), tmp_path / "v.nii")
    with pytest.raises(InputError, match="has no float16"):
        write(Image(volume.astype(np.float16), "zyx"), tmp_path / "v.nii")
    with pytest.raises(InputError, match="an origin of 3 numbers and a direction of 9"):
        write(Image(volume, "zyx", (1, 1, 1), "mm", (1, 2)), tmp_path / "v.nii")
    _, said = told(write, Image(volume, "zyx", channels=("T1",)), tmp_path / "v.nii")
    assert "channel's name" in said[0]
    write(Image(volume, "zyx", (1, 1, 1), "mm"), tmp_path / "v.nii")
    with pytest.raises(InputError, match="leave axes='zyx' out"):
        read(tmp_path / "v.nii", axes="zyx")
    assert read(tmp_path / "v.nii", spacing="2 um").spacing == (2, 2, 2)


def test_names_and_content(tmp_path, volume):
    assert stem_of("sub-01/anat.v2.nii.gz") == "sub-01/anat.v2"
    write(Image(volume, "zyx"), tmp_path / "v.nii.gz")
    (tmp_path / "v.nii.gz").rename(tmp_path / "v.tif")
    _, said = told(read, tmp_path / "v.tif")
    assert "is NIFTI by content" in said[0]
    assert not recognise(gzip.compress(b"something else" * 100)[:512])
    assert not recognise(b"")


def test_without_nibabel_the_extra_is_named(tmp_path, volume, monkeypatch):
    write(Image(volume, "zyx"), tmp_path / "v.nii")
    monkeypatch.setitem(sys.modules, "nibabel", None)
    for call in (
        lambda: read(tmp_path / "v.nii"),
        lambda: read_mask(tmp_path / "v.nii"),
        lambda: write(Image(volume, "zyx"), tmp_path / "w.nii"),
    ):
        with pytest.raises(MissingExtra, match=r"pip install 'microtome\[medical\]'"):
            call()


def test_masks_and_images_share_their_place(tmp_path, volume):
    write(Image(volume, "zyx", (3, 2, 1.1), "mm", (1, 2, 3), (0, 0, 1, 0, 1, 0, 1, 0, 0)), tmp_path / "v.nii")
    for mask in (read_mask(tmp_path / "v.nii"), read_mask(tmp_path / "v.nii", kind="semantic")):
        assert place(mask) == place(read(tmp_path / "v.nii"))
    assert isinstance(read_mask(tmp_path / "v.nii"), InstanceMap)
    assert isinstance(read_mask(tmp_path / "v.nii", kind="semantic"), SemanticMap)
