"""Every kind of PNG, and its spacing."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image as Pil
from PIL import PngImagePlugin

from microtome.core.errors import InputError
from microtome.core.events import MicrotomeWarning, collect_warnings
from microtome.core.raster import Image
from microtome.io.images import read, write

# Kinds no library writes are made byte by byte.


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, extra=(), interlace=0):
    """`rows` are the packed bytes of each line, without filter; `extra` stands before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (13, 17), np.uint8)
RGB = RNG.integers(0, 256, (13, 17, 3), np.uint8)


def reading(tmp_path, data, **options):
    path = tmp_path / "image.png"
    path.write_bytes(data)
    with collect_warnings() as said:
        image = read(path, **options)
    return image, said


def saved(pixels, **options):
    file = io.BytesIO()
    Pil.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def test_grey_comes_as_it_is(tmp_path):
    image, said = reading(tmp_path, saved(GREY))
    assert (image.axes, image.pixels.dtype, image.channels, image.spacing, said) == ("yx", np.uint8, (), None, [])
    np.testing.assert_array_equal(image.pixels, GREY)
    assert image.source == str(tmp_path / "image.png")


def test_colour_has_named_channels_last(tmp_path):
    image, _ = reading(tmp_path, saved(RGB))
    assert (image.axes, image.channels) == ("yxc", ("red", "green", "blue"))
    np.testing.assert_array_equal(image.pixels, RGB)


@pytest.mark.parametrize("shape", [(13, 17), (13, 17, 3)])
def test_16_bits_come_whole(tmp_path, shape):
    pixels = RNG.integers(0, 65536, shape, np.uint16)
    stored = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    image, _ = reading(tmp_path, cv2.imencode(".png", stored)[1].tobytes())
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, pixels)


def test_1_bit_is_0_and_255(tmp_path):
    image, _ = reading(tmp_path, png(8, 1, 1, 0, [[0b10110000]]))
    assert image.pixels.tolist() == [[255, 0, 255, 255, 0, 0, 0, 0]]


@pytest.mark.parametrize(("bits", "row", "values"), [(2, [0b00011011], [0, 1, 2, 3]), (4, [0x3F, 0xA0], [3, 15, 10, 0])])
def test_small_greys_are_not_stretched(tmp_path, bits, row, values):
    image, _ = reading(tmp_path, png(4, 1, bits, 0, [row]))
    assert image.pixels.tolist() == [values]


@pytest.mark.parametrize(("bits", "row"), [(1, [0b01000000]), (2, [0b00010000]), (4, [0x01, 0x00]), (8, [0, 1, 0])])
def test_palette_gives_its_colours(tmp_path, bits, row):
    image, said = reading(tmp_path, png(3, 1, bits, 3, [row], [chunk(b"PLTE", bytes([9, 8, 7, 1, 2, 3]))]))
    assert image.pixels.tolist() == [[[9, 8, 7], [1, 2, 3], [9, 8, 7]]]
    assert image.channels == ("red", "green", "blue")
    assert ["palette of 2 colours was expanded" in message for message in said] == [True]


def test_grey_palette_gives_grey(tmp_path):
    image, said = reading(tmp_path, png(2, 1, 8, 3, [[0, 1]], [chunk(b"PLTE", bytes([50, 50, 50, 200, 200, 200]))]))
    assert (image.axes, image.pixels.tolist(), said) == ("yx", [[50, 200]], [])


def test_value_outside_the_palette_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"image\.png: a pixel has palette entry 5, and the palette has 2"):
        reading(tmp_path, png(2, 1, 8, 3, [[0, 5]], [chunk(b"PLTE", bytes(6))]))


@pytest.mark.parametrize("opacity", [255, 100])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_opacity_is_dropped_and_told_where_it_meant_something(tmp_path, mode, opacity):
    colours = GREY[..., None] if mode == "LA" else RGB
    pixels = np.concatenate([colours, np.full((13, 17, 1), 255, np.uint8)], axis=-1)
    pixels[3, 4, -1] = opacity
    image, said = reading(tmp_path, saved(pixels))
    np.testing.assert_array_equal(image.pixels, colours.squeeze())
    assert ["1 of 221 pixels are transparent" in message for message in said] == [True] * (opacity < 255)


def test_colour_key_is_told(tmp_path):
    image, said = reading(tmp_path, png(2, 1, 8, 0, [[7, 8]], [chunk(b"tRNS", struct.pack(">H", 7))]))
    assert image.pixels.tolist() == [[7, 8]]
    assert "1 of 2 pixels are transparent" in said[0]


def test_transparent_palette_entry_is_told(tmp_path):
    extra = [chunk(b"PLTE", bytes([9, 9, 9, 1, 1, 1])), chunk(b"tRNS", bytes([255, 0]))]
    assert "1 of 3 pixels are transparent" in reading(tmp_path, png(3, 1, 8, 3, [[0, 1, 0]], extra))[1][0]


def test_interlaced_equals_plain(tmp_path):
    # Adam7 of 3 x 3 pixels: passes of 1, 0, 0, 1 (row 0, column 2 only in pass 4), ... written out by hand
    rows = [[0], [2], [20, 22], [1], [21], [10, 11, 12]]
    image, _ = reading(tmp_path, png(3, 3, 8, 0, rows, interlace=1))
    assert image.pixels.tolist() == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]


def test_gamma_and_profiles_change_nothing(tmp_path):
    extra = [chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"iCCP", b"profile\0\0not zlib"), chunk(b"zTXt", b"bomb\0\0not zlib")]
    image, said = reading(tmp_path, png(2, 1, 8, 0, [[7, 8]], extra))
    assert (image.pixels.tolist(), said) == ([[7, 8]], [])


def test_animation_gives_its_still_picture(tmp_path):
    file = io.BytesIO()
    Pil.fromarray(GREY).save(file, "PNG", save_all=True, append_images=[Pil.fromarray(255 - GREY)])
    image, said = reading(tmp_path, file.getvalue())
    np.testing.assert_array_equal(image.pixels, GREY)
    assert "animation" in said[0]


def test_orientation_is_applied_and_told(tmp_path):
    exif = Pil.Exif()
    exif[0x0112] = 6
    image, said = reading(tmp_path, saved(GREY, exif=exif))
    np.testing.assert_array_equal(image.pixels, np.rot90(GREY, -1))
    assert "turned upright" in said[0]


@pytest.mark.parametrize(
    ("x", "y", "unit", "spacing"),
    [
        (1538462, 1538462, 1, (0.65, 0.65)),
        (4_000_000, 2_000_000, 1, (0.5, 0.25)),  # y, x
        (2835, 2835, 1, None),
        (11811, 11811, 1, None),
        (3780, 3780, 1, None),
        (1538462, 1538462, 0, None),
        (0, 0, 1, None),
        (50_000, 50_000, 1, (20, 20)),
    ],
)
def test_density_is_spacing_unless_it_is_for_printing(tmp_path, x, y, unit, spacing):
    image, _ = reading(tmp_path, png(2, 1, 8, 0, [[7, 8]], [chunk(b"pHYs", struct.pack(">IIB", x, y, unit))]))
    assert image.spacing == spacing
    assert image.unit == ("px" if spacing is None else "um")


def test_users_spacing_wins(tmp_path):
    image, _ = reading(tmp_path, saved(GREY, dpi=(300, 300)), spacing="0.2 mm")
    assert (image.spacing, image.unit) == ((0.2, 0.2), "mm")


def test_dpi_written_by_other_programs_is_no_spacing(tmp_path):
    for dpi in (72, 96, 150, 300, 600, 1200):
        assert reading(tmp_path, saved(GREY, dpi=(dpi, dpi)))[0].spacing is None


def test_metadata_of_other_programs_is_passed_over(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", "x" * 5000, zip=True)
    image, said = reading(tmp_path, saved(GREY, pnginfo=text))
    assert (image.pixels.shape, said) == ((13, 17), [])


@pytest.mark.parametrize("pixels", [np.zeros((2, 2), np.float32), np.zeros((2, 2), np.int32), np.zeros((2, 2), bool)])
def test_what_png_cannot_hold_is_refused(tmp_path, pixels):
    with pytest.raises(InputError, match=rf"x\.png: a PNG holds uint8 or uint16, not {pixels.dtype}"):
        write(Image(pixels), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_two_or_four_channels_would_be_taken_for_opacity(tmp_path):
    for count in (2, 4):
        with pytest.raises(InputError, match=f"not {count}; write .tif"):
            write(Image(np.zeros((2, 2, count), np.uint8), axes="yxc"), tmp_path / "x.png")


def test_names_and_spacing_that_are_lost_are_told(tmp_path):
    image = Image(np.zeros((2, 2, 3), np.uint8), axes="yxc", channels=("a", "b", "c"), spacing=(25400 / 300,) * 2, unit="um")
    with pytest.warns(MicrotomeWarning) as said:
        write(image, tmp_path / "x.png")
    assert ["channel names a, b, c" in str(said[0].message), "printing resolution" in str(said[1].message)] == [True, True]
