"""What is written is read back: every id, the kind, the classes, the spacing."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as Picture

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import colour_png, label_png, palette_png, png, read_mask, write_mask, write_mask_as

TISSUE = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(1, "Drüse → α", "thing"), ClassEntry(255, "void", "ignore")))
law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(first, second):
    assert type(first) is type(second)
    assert first.pixels.dtype == second.pixels.dtype
    np.testing.assert_array_equal(first.pixels, second.pixels)
    for fact in ("axes", "spacing", "unit", "origin", "direction", "classes"):
        assert getattr(first, fact) == getattr(second, fact), fact
    if isinstance(first, InstanceMap):
        assert (first.object_class, first.object_score) == (second.object_class, second.object_score)


@pytest.mark.parametrize("form", ["ids", "colour"])
@pytest.mark.parametrize(("top", "suffix"), [(0, ".png"), (1, ".png"), (255, ".png"), (256, ".png"), (65535, ".png"), (65536, ".tif")])
def test_instance_ids_survive_in_the_plainest_file(tmp_path, top, suffix, form):
    pixels = np.linspace(0, top, 31 * 17).astype(np.int32).reshape(31, 17)
    mask = InstanceMap(pixels, spacing=(0.65, 0.1), unit="um", object_score={3: 0.1}, object_class={np.int32(3): np.uint8(1)})
    path = write_mask(mask, tmp_path / "well.03", form=form)
    assert path.name == "well.03" + (".png" if form == "colour" else suffix)
    same(mask, read_mask(path))


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("uint8", 0, 255), ("uint16", 0, 255), ("uint16", 0, 9999), ("int32", -3, 7), ("int32", 0, 10**6)]
)
def test_semantic_classes_survive(tmp_path, dtype, low, high):
    mask = SemanticMap(np.linspace(low, high, 60).astype(dtype).reshape(6, 10), classes=TISSUE, spacing=(2.0,), unit="mm")
    for form in ("ids", "colour") if low >= 0 else ("ids",):
        same(mask, read_mask(write_mask(mask, tmp_path / "tissue", form=form)))


@pytest.mark.parametrize("shape", [(1, 5, 6), (3, 1, 6), (4, 5, 3), (2, 2, 2), (1, 1, 1)])
@pytest.mark.parametrize("top", [1, 300, 70_000])
def test_volumes_survive_with_their_axes(tmp_path, shape, top):
    pixels = np.linspace(0, top, np.prod(shape)).astype(np.int32).reshape(shape)
    for make in (InstanceMap, SemanticMap):
        mask = make(
            pixels, axes="zyx", spacing=(2.0, 0.5, 0.25), unit="um", origin=(1.0, -2.0, 0.5), direction=tuple(np.eye(3).ravel().tolist())
        )
        path = write_mask(mask, tmp_path / "stack")
        assert path.suffix == ".tif"
        same(mask, read_mask(path))


def test_70000_objects_keep_their_numbers(tmp_path):
    pixels = np.arange(300 * 300, dtype=np.int32).reshape(300, 300)
    path = write_mask(InstanceMap(pixels), tmp_path / "many")
    assert path.suffix == ".tif"
    np.testing.assert_array_equal(read_mask(path).pixels, pixels)


@law
@given(arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2**24 - 1)))
def test_every_id_has_its_colour_and_comes_back(tmp_path, pixels):
    mask = InstanceMap(pixels)
    colour_png.write(mask, tmp_path / "c.png")
    same(mask, read_mask(tmp_path / "c.png"))
    shown = np.asarray(Picture.open(tmp_path / "c.png"))
    assert ((shown == 0).all(axis=-1) == (pixels == 0)).all()
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == len(np.unique(pixels))


@law
@given(arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_other_programs_read_the_same_ids(tmp_path, pixels):
    path = write_mask(InstanceMap(pixels), tmp_path / "l")
    np.testing.assert_array_equal(np.asarray(Picture.open(path)), pixels)
    small = SemanticMap((pixels % 256).astype(np.uint8))
    picture = Picture.open(write_mask(small, tmp_path / "s"))
    assert picture.mode == "P"
    np.testing.assert_array_equal(np.asarray(picture), small.pixels)


def test_the_text_chunk_is_plain_json_for_others(tmp_path):
    path = write_mask(SemanticMap(np.array([[0, 1, 255]], np.uint8), classes=TISSUE, spacing=(0.5, 0.5), unit="um"), tmp_path / "s")
    about = json.loads(Picture.open(path).text["microtome"])
    assert about["classes"][1] == [1, "Drüse → α", "thing"]
    assert (about["kind"], about["spacing"], about["unit"]) == ("semantic", [0.5, 0.5], "um")


def test_palette_is_black_orange_and_grey(tmp_path):
    table = palette_png.colours(TISSUE, 256)
    assert table[0].tolist() == [0, 0, 0]
    assert table[1].tolist() == [230, 159, 0]
    assert table[255].tolist() == [128, 128, 128]
    classes = [tuple(colour) for colour in table[:255].tolist()]
    assert len(set(classes)) == len(classes)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    for pixels in (np.eye(9, dtype=np.int32), np.eye(9, dtype=np.int32) * 70000):
        mask = InstanceMap(pixels)
        assert write_mask(mask, tmp_path / "a").read_bytes() == write_mask(mask, tmp_path / "b").read_bytes()


def test_the_input_is_not_changed(tmp_path):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)[:, ::2]
    before = pixels.copy()
    np.testing.assert_array_equal(read_mask(write_mask(SemanticMap(pixels), tmp_path / "x")).pixels, before)
    np.testing.assert_array_equal(pixels, before)


def test_a_writer_that_cannot_hold_an_id_refuses(tmp_path):
    with pytest.raises(InputError, match="0 to 65535"):
        label_png.write(InstanceMap(np.array([[70000]])), tmp_path / "x.png")
    with pytest.raises(InputError, match="classes from 0 to 255"):
        palette_png.write(SemanticMap(np.array([[300]])), tmp_path / "x.png")
    with pytest.raises(InputError, match="use form='ids'"):
        write_mask(InstanceMap(np.array([[2**24]])), tmp_path / "x", form="colour")
    with pytest.raises(InputError, match="use form='ids'"):
        write_mask(InstanceMap(np.ones((2, 2, 2), int), axes="zyx"), tmp_path / "x", form="colour")
    with pytest.raises(InputError, match="no pixels"):
        write_mask(InstanceMap(np.zeros((0, 4), int)), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_named_file_is_written_as_named_or_refused(tmp_path):
    mask = InstanceMap(np.arange(12).reshape(3, 4))
    for name in ("a.PNG", "b.tif", "c.tiff"):
        assert write_mask_as(mask, tmp_path / name) == tmp_path / name
        same(mask, read_mask(tmp_path / name))
    with pytest.raises(InputError, match="written as"):
        write_mask_as(mask, tmp_path / "x.jpg")
    with pytest.raises(InputError, match="a PNG cannot hold"):
        write_mask_as(InstanceMap(np.array([[70000]])), tmp_path / "x.png")
    for name in ("x.png", "x.tif"):
        with pytest.raises(InputError, match="no pixels"):
            write_mask_as(InstanceMap(np.zeros((0, 4), int)), tmp_path / name)


def test_tiff_pictures_may_keep_tiff_masks(tmp_path):
    for mask in (InstanceMap(np.arange(12).reshape(3, 4)), SemanticMap(np.eye(3, dtype=bool), spacing=(0.5, 0.5), unit="um")):
        path = write_mask(mask, tmp_path / "a", family="tiff")
        assert path.name == "a.tif"
        same(mask, read_mask(path))


def test_a_mask_whose_colours_were_changed_is_refused(tmp_path):
    path = write_mask(InstanceMap(np.arange(12).reshape(3, 4)), tmp_path / "x", form="colour")
    grey = np.asarray(Picture.open(path))[..., 0].copy()
    path.write_bytes(png.encode(grey, png.texts(path.read_bytes(), path)))
    with pytest.raises(InputError, match="its ids are gone"):
        read_mask(path)


def test_a_damaged_note_is_refused_not_guessed(tmp_path):
    for text in ("{", "[]", '{"kind":"instance"}', '{"kind":"x","form":"label","dtype":"uint8","axes":"yx","classes":[]}'):
        (tmp_path / "x.png").write_bytes(png.encode(np.zeros((2, 2), np.uint8), {"microtome": text}))
        with pytest.raises(InputError, match="is damaged"):
            read_mask(tmp_path / "x.png")
