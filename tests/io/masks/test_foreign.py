"""Masks of other programs: ids as they are, and a named refusal with a way out where there are none."""

import io
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import read_mask, write_mask

LABELS = np.array([[0, 1, 2], [3, 3, 200]], np.uint8)


def read(path, **options):
    with collect_warnings() as warnings:
        return read_mask(path, **options), warnings


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_is_read_as_indices_not_colours(tmp_path, bits):
    indices = np.arange(2**bits, dtype=np.uint8)[None].repeat(3, axis=0)
    picture = Picture.fromarray(indices)
    picture.putpalette(list(range(255, -1, -1)) * 3)
    picture.save(tmp_path / "p.png", bits=bits)
    mask, warnings = read(tmp_path / "p.png")
    assert isinstance(mask, SemanticMap)
    assert not warnings
    np.testing.assert_array_equal(mask.pixels, indices)
    assert isinstance(read_mask(tmp_path / "p.png", kind="instance"), InstanceMap)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_png_is_ids_of_instances(tmp_path, dtype):
    labels = LABELS.astype(dtype) * (200 if dtype is np.uint16 else 1)
    Picture.fromarray(labels).save(tmp_path / "g.png")
    mask, warnings = read(tmp_path / "g.png")
    assert isinstance(mask, InstanceMap)
    assert not warnings
    np.testing.assert_array_equal(mask.pixels, labels)
    assert mask.source == str(tmp_path / "g.png")


def test_semantic_on_request_has_a_class_for_each_value_found(tmp_path):
    Picture.fromarray(LABELS).save(tmp_path / "g.png")
    mask, _ = read(tmp_path / "g.png", kind="semantic")
    assert [entry.value for entry in mask.classes] == [0, 1, 2, 3, 200]


def test_one_bit_png_and_boolean_arrays_are_semantic(tmp_path):
    binary = LABELS > 1
    Picture.fromarray(binary).save(tmp_path / "b.png")
    np.save(tmp_path / "b.npy", binary)
    tifffile.imwrite(tmp_path / "b.tif", binary)
    for name in ("b.png", "b.npy", "b.tif"):
        mask, _ = read(tmp_path / name)
        assert isinstance(mask, SemanticMap), name
        np.testing.assert_array_equal(mask.pixels, binary)


def test_0_and_255_is_a_mask_saved_as_a_picture(tmp_path):
    Picture.fromarray((LABELS > 1).astype(np.uint8) * 255).save(tmp_path / "w.png")
    mask, warnings = read(tmp_path / "w.png")
    assert isinstance(mask, SemanticMap)
    assert "saved as a picture" in warnings[0]
    assert sorted(np.unique(mask.pixels)) == [0, 255]
    assert mask.classes.name_of(255) == "foreground"
    assert isinstance(read(tmp_path / "w.png", kind="instance")[0], InstanceMap)


def test_our_own_files_know_their_kind_better_than_the_caller(tmp_path):
    path = write_mask(InstanceMap(LABELS), tmp_path / "x")
    assert isinstance(read_mask(path, kind="semantic"), InstanceMap)


@pytest.mark.parametrize("quality", [75, 100])
def test_jpeg_is_refused_by_name(tmp_path, quality):
    Picture.fromarray(LABELS).save(tmp_path / "m.png", format="jpeg", quality=quality)  # whatever its suffix says
    with pytest.raises(InputError, match=r"m\.png: JPEG changes values.*save as PNG"):
        read_mask(tmp_path / "m.png")


def test_colours_are_refused_with_a_way_out(tmp_path):
    Picture.fromarray(np.random.default_rng(0).integers(0, 255, (4, 5, 3), np.uint8)).save(tmp_path / "c.png")
    tifffile.imwrite(tmp_path / "c.tif", np.random.default_rng(0).integers(0, 255, (4, 5, 3), np.uint8), photometric="rgb")
    for name in ("c.png", "c.tif"):
        with pytest.raises(InputError, match="colours are not ids: save the labels as a grey PNG or TIFF"):
            read_mask(tmp_path / name)


def test_grey_saved_as_rgb_is_read_with_a_word(tmp_path):
    for mode in ("RGB", "RGBA", "LA"):
        Picture.fromarray(LABELS).convert(mode).save(tmp_path / "c.png")
        mask, warnings = read(tmp_path / "c.png")
        np.testing.assert_array_equal(mask.pixels, LABELS)
        assert "all equal" in warnings[0]
    clear = Picture.fromarray(LABELS).convert("RGBA")
    clear.putalpha(7)
    clear.save(tmp_path / "c.png")
    with pytest.raises(InputError, match="colours"):
        read_mask(tmp_path / "c.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64])
def test_tiff_and_npy_integers(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", LABELS.astype(dtype))
    np.save(tmp_path / "a.npy", LABELS.astype(dtype))
    for name in ("a.tif", "a.npy"):
        np.testing.assert_array_equal(read(tmp_path / name)[0].pixels, LABELS)


def test_whole_floats_are_read_with_a_word_and_others_refused(tmp_path):
    tifffile.imwrite(tmp_path / "f.tif", LABELS.astype(np.float32))
    mask, warnings = read(tmp_path / "f.tif")
    np.testing.assert_array_equal(mask.pixels, LABELS)
    assert "float32" in warnings[0]
    for bad in (0.5, np.nan, np.inf):
        broken = LABELS.astype(np.float32)
        broken[1, 2] = bad
        tifffile.imwrite(tmp_path / "f.tif", broken)
        with pytest.raises(InputError, match=r"1 values are not whole numbers \(first .* at \(1, 2\)\)"):
            read_mask(tmp_path / "f.tif")


def test_stacks_and_single_planes(tmp_path):
    stack = np.stack([LABELS, LABELS])
    tifffile.imwrite(tmp_path / "z.tif", stack, imagej=True, metadata={"axes": "ZYX"})
    assert read(tmp_path / "z.tif")[0].axes == "zyx"
    tifffile.imwrite(tmp_path / "one.tif", stack[:1, None], imagej=True, metadata={"axes": "ZCYX"})
    assert read(tmp_path / "one.tif")[0].axes == "yx"
    tifffile.imwrite(tmp_path / "pages.tif", stack, photometric="minisblack", metadata=None)
    mask, warnings = read(tmp_path / "pages.tif")
    assert mask.axes == "zyx"
    assert "planes of a volume" in warnings[0]
    tifffile.imwrite(tmp_path / "t.tif", stack, imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(InputError, match="one time point"):
        read_mask(tmp_path / "t.tif")


def test_gif_is_read_as_indices(tmp_path):
    picture = Picture.fromarray((LABELS > 1).astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(tmp_path / "m.gif")
    mask, _ = read(tmp_path / "m.gif")
    assert isinstance(mask, SemanticMap)
    assert sorted(np.unique(mask.pixels)) == [0, 1]


def test_what_is_no_mask_is_named(tmp_path):
    (tmp_path / "t.txt").write_text("1 2 3")
    np.savez(tmp_path / "a.npz", a=LABELS)
    np.save(tmp_path / "p.npy", np.array({"masks": LABELS}, dtype=object), allow_pickle=True)
    np.save(tmp_path / "d.npy", np.zeros((2, 2, 2, 2), int))
    (tmp_path / "empty.png").write_bytes(b"")
    for name, words in (("t.txt", "not a mask"), ("a.npz", "not a mask"), ("p.npy", "not an array of numbers"), ("d.npy", "two axes"),
                        ("empty.png", "not a mask"), ("none.png", "no such file"), ("", "a folder")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            read_mask(tmp_path / name)


def test_cut_off_files_are_damaged_not_half_read(tmp_path):
    rng = np.random.default_rng(0)
    for stem, top in (("a", 9), ("b", 70000)):
        path = write_mask(InstanceMap(rng.integers(0, top, (50, 50))), tmp_path / stem)
        whole = path.read_bytes()
        for length in (10, 30, 60, len(whole) // 2, len(whole) - 40):
            path.write_bytes(whole[:length])
            with pytest.raises(InputError, match=r"damaged|not written|ends inside"):
                read_mask(path)


def test_a_text_chunk_that_unpacks_without_end_is_refused(tmp_path):
    import struct

    buffer = io.BytesIO()
    info = PngInfo()
    info.add_text("other", "x", zip=True)
    Picture.fromarray(LABELS).save(buffer, "png", pnginfo=info)
    whole = buffer.getvalue()
    body = b"microtome\0\0" + zlib.compress(bytes(1 << 27), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    (tmp_path / "bomb.png").write_bytes(whole[:33] + chunk + whole[33:])
    with pytest.raises(InputError, match="unpacks to more than"):
        read_mask(tmp_path / "bomb.png")
