"""TIFF in its many kinds: plain, ImageJ, OME; compressions, tiles, pages, metadata."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.io.images import read, write

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (20, 30), np.uint8)
RGB = RNG.integers(0, 256, (20, 30, 3), np.uint8)
STACK = RNG.integers(0, 60000, (5, 20, 30), np.uint16)
FOUR = np.stack([STACK, STACK + 1])


def reading(path, **options):
    with collect_warnings() as said:
        image = read(path, **options)
    return image, said


def saved(tmp_path, pixels, name="a.tif", **options):
    tifffile.imwrite(tmp_path / name, pixels, **options)
    return tmp_path / name


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("byteorder", "<>")
def test_values_and_dtype_stay(tmp_path, dtype, byteorder):
    pixels = GREY.astype(dtype)
    image, said = reading(saved(tmp_path, pixels, byteorder=byteorder, metadata=None))
    assert (image.axes, image.pixels.dtype, image.spacing, said) == ("yx", np.dtype(dtype), None, [])
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_lossless_kinds_are_exact(tmp_path, compression, tile, bigtiff):
    image, _ = reading(saved(tmp_path, RGB, compression=compression, tile=tile, bigtiff=bigtiff, photometric="rgb"))
    assert image.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(image.pixels, RGB)


def test_jpeg_inside_tiff_gives_rgb(tmp_path):
    smooth = np.broadcast_to(np.array([200, 100, 50], np.uint8), (32, 32, 3))
    image, _ = reading(saved(tmp_path, smooth, compression="jpeg", photometric="rgb"))
    assert np.abs(image.pixels.astype(int) - smooth).max() <= 3


def test_separate_planes_become_channels_last(tmp_path):
    image, _ = reading(saved(tmp_path, np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate"))
    np.testing.assert_array_equal(image.pixels, RGB)


@pytest.mark.parametrize("compression", [None, "group4"])
def test_1_bit_is_0_and_255(tmp_path, compression):
    picture = Pil.fromarray(GREY > 128)
    picture.save(tmp_path / "a.tif", compression=compression)
    image, said = reading(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, np.asarray(picture) * np.uint8(255))
    assert said == []


def test_white_is_zero_is_inverted_and_told(tmp_path):
    image, said = reading(saved(tmp_path, GREY, photometric="miniswhite"))
    np.testing.assert_array_equal(image.pixels, 255 - GREY)
    assert "inverted" in said[0]


def test_palette_is_expanded_and_told(tmp_path):
    picture = Pil.fromarray(RGB).quantize(16)
    picture.save(tmp_path / "a.tif")
    image, said = reading(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, np.asarray(picture.convert("RGB")))
    assert "palette" in said[0]


def test_lookup_table_of_imagej_is_only_for_display(tmp_path):
    green = np.zeros((3, 256), np.uint16)
    green[1] = np.arange(256) * 257
    image, said = reading(saved(tmp_path, GREY, imagej=True, colormap=green, photometric="palette"))
    np.testing.assert_array_equal(image.pixels, GREY)
    assert said == []


@pytest.mark.parametrize("opacity", [255, 7])
def test_opacity_is_dropped_and_told_where_it_meant_something(tmp_path, opacity):
    pixels = np.concatenate([RGB, np.full((20, 30, 1), opacity, np.uint8)], axis=-1)
    image, said = reading(saved(tmp_path, pixels, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(image.pixels, RGB)
    assert len(said) == (opacity < 255)


def test_cmyk_is_refused(tmp_path):
    Pil.fromarray(RGB).convert("CMYK").save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"CMYK.*convert it to RGB or grey"):
        read(tmp_path / "a.tif")


def test_complex_numbers_are_refused(tmp_path):
    with pytest.raises(InputError, match="its pixels are complex64"):
        read(saved(tmp_path, GREY.astype(np.complex64)))


def test_orientation_is_applied_and_told(tmp_path):
    Pil.fromarray(GREY).save(tmp_path / "a.tif", tiffinfo={274: 8})
    image, said = reading(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, np.rot90(GREY))
    assert "turned upright" in said[0]


def test_pages_without_meaning_are_refused_with_both_ways_out(tmp_path):
    path = saved(tmp_path, STACK, metadata=None)
    with pytest.raises(InputError, match=r"has 5 pages .* give axes='zyx' .*axes='cyx' .* page=0"):
        read(path)
    np.testing.assert_array_equal(read(path, page=3).pixels, STACK[3])
    np.testing.assert_array_equal(read(path, axes="zyx").pixels, STACK)
    np.testing.assert_array_equal(read(path, axes="cyx").pixels, np.moveaxis(STACK, 0, -1))
    np.testing.assert_array_equal(read(path, axes="tyx", page=4).pixels, STACK[4])
    with pytest.raises(InputError, match="no page 5: the file holds 5 pages, numbered from 0"):
        read(path, page=5)
    with pytest.raises(InputError, match="axes 'yx' name 2 dimensions, the file has pages: 5, y: 20, x: 30"):
        read(path, axes="yx")


def test_pages_of_different_size_are_chosen_by_number(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, metadata=None)
        file.write(RGB[:5], metadata=None, photometric="rgb")
    with pytest.raises(InputError, match=r"holds 2 images \(0: 20 x 30; 1: 5 x 30 x 3\)"):
        read(tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif", page=1).pixels, RGB[:5])


@pytest.mark.parametrize("inside", [True, False])
def test_a_pyramid_gives_its_full_resolution(tmp_path, inside):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, metadata=None, **({"subifds": 1} if inside else {}))
        file.write(GREY[::2, ::2], metadata=None, subfiletype=1)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, GREY)


def test_imagej_hyperstack(tmp_path):
    resolution = (1 / 0.325, 1 / 0.325)
    metadata = {"axes": "ZCYX", "unit": "um", "spacing": 2.0, "Labels": ["a", "b", "c", "d", "e"] * 2}
    image, said = reading(saved(tmp_path, FOUR, imagej=True, resolution=resolution, metadata=metadata))
    assert (image.axes, image.spacing, image.unit) == ("zyxc", (2.0, 0.325, 0.325), "um")
    assert (image.channels, said) == (("a", "b", "c", "d", "e"), [])
    np.testing.assert_array_equal(image.pixels, np.moveaxis(FOUR, 1, -1))


@pytest.mark.parametrize(
    ("unit", "spacing"), [("nm", 5e-4), ("micron", 0.5), ("\\u00B5m", 0.5), ("mm", 500.0), ("pixel", None), ("inch", 12700)]
)
def test_imagej_units(tmp_path, unit, spacing):
    image, _ = reading(
        saved(tmp_path, GREY, imagej=True, resolution=(2, 2), resolutionunit=2 if unit == "inch" else 1, metadata={"unit": unit})
    )
    assert image.spacing == (None if spacing is None else pytest.approx((spacing, spacing), rel=1e-12))


def test_volume_without_depth_has_no_spacing_and_says_so(tmp_path):
    image, said = reading(saved(tmp_path, STACK, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "unit": "um"}))
    assert image.spacing is None
    assert "no spacing along z" in said[0]


@pytest.mark.parametrize(
    ("axes", "kind"), [("TYX", {"imagej": True}), ("TYX", {"ome": True}), ("TYX", {}), ("TZYX", {"ome": True}), ("ZTYX", {"ome": True})]
)
def test_time_is_refused_and_a_frame_can_be_chosen(tmp_path, axes, kind):
    pixels = STACK if axes == "TYX" else FOUR
    path = saved(tmp_path, pixels, metadata={"axes": axes}, **kind)
    number = axes.index("T")
    with pytest.raises(InputError, match=rf"time series of {pixels.shape[number]} frames.*page=0"):
        read(path)
    np.testing.assert_array_equal(read(path, page=1).pixels, pixels.take(1, number))


@pytest.mark.parametrize("byteorder", "<>")
def test_imagej_stack_with_a_page_for_its_first_plane_only(tmp_path, byteorder):
    """Above 4 GB ImageJ writes one page and lets the planes follow."""
    path = saved(tmp_path, STACK, imagej=True, byteorder=byteorder, metadata={"axes": "TYX"})
    order = "little" if byteorder == "<" else "big"
    data = bytearray(path.read_bytes())
    page = int.from_bytes(data[4:8], order)
    link = page + 2 + 12 * int.from_bytes(data[page : page + 2], order)
    data[link : link + 4] = bytes(4)
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path, page=3).pixels, STACK[3])
    np.testing.assert_array_equal(read(path, axes="zyx").pixels, STACK)
    path.write_bytes(data[:3000])
    with pytest.raises(InputError):
        read(path, page=0)


def test_ome_spacing_units_and_names(tmp_path):
    metadata = {"axes": "CZYX", "PhysicalSizeX": 0.65, "PhysicalSizeY": 650, "PhysicalSizeYUnit": "nm",
                "PhysicalSizeZ": 0.002, "PhysicalSizeZUnit": "mm", "Channel": {"Name": ["DAPI", "GFP"]}}  # fmt: skip
    image, said = reading(saved(tmp_path, FOUR, "a.ome.tif", metadata=metadata))
    assert (image.axes, image.spacing, image.unit, image.channels) == ("zyxc", (2.0, 0.65, 0.65), "um", ("DAPI", "GFP"))
    np.testing.assert_array_equal(image.pixels, np.moveaxis(FOUR, 0, -1))
    assert said == []


def test_ome_with_several_images_lists_their_names(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(GREY, metadata={"Name": "slide"})
        file.write(GREY[:5], metadata={"Name": "label", "PhysicalSizeX": 1, "PhysicalSizeY": 1})
    with pytest.raises(InputError, match="0: slide 20 x 30; 1: label 5 x 30"):
        read(tmp_path / "a.ome.tif")
    assert read(tmp_path / "a.ome.tif", page=1).spacing == (1, 1)


def test_other_files_named_in_the_metadata_are_not_opened(tmp_path):
    saved(tmp_path, GREY, "secret.tif")
    uuid = 'UUID="urn:uuid:1"'
    plane = '<TiffData FirstC="{0}" IFD="0"><UUID FileName="{1}">urn:uuid:{2}</UUID></TiffData>'
    xml = (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" {uuid}><Image ID="Image:0"><Pixels DimensionOrder="XYCZT" '
        'ID="Pixels:0" SizeX="30" SizeY="20" SizeC="2" SizeZ="1" SizeT="1" Type="uint8"><Channel ID="Channel:0:0"/>'
        f'<Channel ID="Channel:0:1"/>{plane.format(0, "a.ome.tif", 1)}{plane.format(1, "secret.tif", 2)}</Pixels></Image></OME>'
    )
    path = saved(tmp_path, GREY, "a.ome.tif", description=xml, metadata=None)
    with pytest.raises(InputError, match="one file of an OME-TIFF set"):
        read(path)


def test_ome_that_speaks_of_planes_that_are_not_there(tmp_path):
    path = saved(tmp_path, STACK, "a.ome.tif", metadata={"axes": "ZYX"}, compression="zlib")
    path.write_bytes(path.read_bytes().replace(b'SizeZ="5"', b'SizeZ="9"').replace(b'PlaneCount="5"', b'PlaneCount="9"'))
    with pytest.raises(InputError, match=r"a\.ome\.tif"):
        read(path)


@pytest.mark.parametrize(
    ("resolution", "unit", "spacing"),
    [
        ((20000, 20000), 3, 0.5),
        ((50800, 50800), 2, 0.5),
        ((300, 300), 2, None),
        ((118.11, 118.11), 3, None),
        ((1, 1), 2, None),
        ((2, 2), 1, None),
    ],
)
def test_resolution_tags_are_spacing_unless_for_printing(tmp_path, resolution, unit, spacing):
    image, _ = reading(saved(tmp_path, GREY, resolution=resolution, resolutionunit=unit))
    assert image.spacing == (None if spacing is None else (spacing, spacing))


def test_missing_pieces_are_an_error_not_black(tmp_path):
    path = saved(tmp_path, RNG.integers(0, 256, (64, 64), np.uint8), tile=(32, 32), compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        place, counts = file.pages[0].tags[325].valueoffset, file.pages[0].databytecounts
    data = bytearray(path.read_bytes())
    width = 4 if file.pages[0].tags[325].dtype == 4 else 2
    data[place + 2 * width : place + 3 * width] = bytes(width)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"1 of 4 pieces of page 0 are not stored"):
        read(path)
    assert len(counts) == 4


def test_pages_in_a_circle_end(tmp_path):
    path = saved(tmp_path, STACK, metadata=None)
    with tifffile.TiffFile(path) as file:
        pages = [page.offset for page in file.pages]
    data = bytearray(path.read_bytes())
    link = pages[-1] + 2 + 12 * int.from_bytes(data[pages[-1] : pages[-1] + 2], "little")
    data[link : link + 4] = pages[1].to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="run in a circle"):
        read(path)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "i1", "i2", "i4", "u4", "f8"])
@pytest.mark.parametrize("axes", ["yx", "yxc", "zyx", "zyxc"])
def test_write_then_read(tmp_path, dtype, axes):
    shape = tuple({"z": 3, "y": 4, "x": 5, "c": 2}[axis] for axis in axes)
    pixels = RNG.integers(0, 100, shape).astype(dtype)
    spacing = tuple(float(s) for s in (2.5, 0.65, 0.31)[-len(axes.rstrip("c")) :])
    image = Image(pixels, axes, spacing, "um", channels=("DAPI", "GFP") if "c" in axes else ())
    for name in ("a.tif", "a.ome.tif"):
        write(image, tmp_path / name)
        back, said = reading(tmp_path / name)
        assert (back.axes, back.pixels.dtype, back.spacing, back.channels, said) == (axes, pixels.dtype, spacing, image.channels, [])
        np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize("dtype", ["u1", "i4"])
def test_same_image_same_bytes(tmp_path, dtype):
    image = Image(STACK.astype(dtype), "zyx", (1, 1, 1), "um")
    write(image, tmp_path / "a.tif")
    first = (tmp_path / "a.tif").read_bytes()
    write(image, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_bytes() == first


@pytest.mark.parametrize("dtype", ["?", "i8", "u8", "f2"])
def test_what_no_program_reads_is_not_written(tmp_path, dtype):
    with pytest.raises(InputError, match=rf"a\.tif: a TIFF is not written with {np.dtype(dtype)}.*\.npy"):
        write(Image(GREY.astype(dtype)), tmp_path / "a.tif")
