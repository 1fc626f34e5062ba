"""JPEG, WebP, BMP and GIF."""

import io

import numpy as np
import pytest
from PIL import Image as Pil

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.io.images import read, write

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (24, 16), np.uint8)
RGB = RNG.integers(0, 256, (24, 16, 3), np.uint8)
HUE = ("red", "green", "blue")


def reading(tmp_path, data, suffix, **options):
    path = tmp_path / f"image{suffix}"
    path.write_bytes(data)
    with collect_warnings() as said:
        image = read(path, **options)
    return image, said


def saved(picture, kind, **options):
    file = io.BytesIO()
    (picture if isinstance(picture, Pil.Image) else Pil.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("pixels", "axes", "names"), [(GREY, "yx", ()), (RGB, "yxc", HUE)])
def test_jpeg_decodes_as_pillow_does(tmp_path, pixels, axes, names):
    data = saved(pixels, "JPEG", dpi=(300, 300))
    image, said = reading(tmp_path, data, ".jpg")
    assert (image.axes, image.channels, image.spacing, said) == (axes, names, None, [])
    np.testing.assert_array_equal(image.pixels, np.asarray(Pil.open(io.BytesIO(data))))


def test_progressive_jpeg_and_comments(tmp_path):
    data = saved(RGB, "JPEG", progressive=True, comment=b"a stranger's words", icc_profile=b"x" * 70000)
    image, _ = reading(tmp_path, data, ".jpeg")
    np.testing.assert_array_equal(image.pixels, np.asarray(Pil.open(io.BytesIO(data))))


UPRIGHT = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: np.rot90,
}  # fmt: skip


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("order", ["II", "MM"])
def test_jpeg_is_turned_upright(tmp_path, orientation, order):
    exif = Pil.Exif()
    exif.endian = "<" if order == "II" else ">"
    exif[0x0112], exif[0x010F] = orientation, "a camera"
    data = saved(RGB, "JPEG", exif=exif)
    image, said = reading(tmp_path, data, ".jpg")
    expected = UPRIGHT[orientation](np.asarray(Pil.open(io.BytesIO(data))))
    np.testing.assert_array_equal(image.pixels, expected)
    assert len(said) == (orientation != 1)


def test_damaged_exif_has_no_say(tmp_path):
    data = saved(GREY, "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xffgarbage")
    assert reading(tmp_path, data, ".jpg")[0].pixels.shape == (24, 16)


def test_cmyk_jpeg_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(InputError, match=r"CMYK.*convert it to RGB"):
        reading(tmp_path, saved(Pil.fromarray(RGB).convert("CMYK"), "JPEG"), ".jpg")


def test_jpeg_named_png_is_read_and_told(tmp_path):
    image, said = reading(tmp_path, saved(GREY, "JPEG"), ".png")
    assert image.pixels.shape == (24, 16)
    assert "is named .png and is JPEG by content" in said[0]


def test_lossy_formats_are_not_written(tmp_path):
    for name in ("x.jpg", "x.gif"):
        with pytest.raises(InputError, match=rf"{name}: .* write \.png or \.tif"):
            write(Image(GREY), tmp_path / name)


def test_webp_lossless_is_exact(tmp_path):
    image, _ = reading(tmp_path, saved(RGB, "WEBP", lossless=True), ".webp")
    assert image.channels == HUE
    np.testing.assert_array_equal(image.pixels, RGB)


def test_webp_opacity_and_orientation(tmp_path):
    exif = Pil.Exif()
    exif[0x0112] = 3
    pixels = np.concatenate([RGB, np.full((24, 16, 1), 255, np.uint8)], axis=-1)
    pixels[0, 0, 3] = 9
    image, said = reading(tmp_path, saved(pixels, "WEBP", lossless=True, exact=True, exif=exif), ".webp")
    np.testing.assert_array_equal(image.pixels, RGB[::-1, ::-1])
    assert len(said) == 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp_kinds(tmp_path, mode):
    picture = Pil.fromarray(RGB).convert(mode)
    image, _ = reading(tmp_path, saved(picture, "BMP"), ".bmp")
    expected = np.asarray(picture.convert("RGB" if mode == "P" else "L" if mode == "1" else mode))
    assert image.pixels.dtype == np.uint8
    np.testing.assert_array_equal(image.pixels, expected)


def test_gif_palette(tmp_path):
    picture = Pil.fromarray(RGB).quantize(8)
    image, said = reading(tmp_path, saved(picture, "GIF"), ".gif")
    np.testing.assert_array_equal(image.pixels, np.asarray(picture.convert("RGB")))
    assert len(said) == 1


def test_black_and_white_gif_is_grey_0_and_255(tmp_path):
    picture = Pil.fromarray(GREY > 128)
    image, said = reading(tmp_path, saved(picture, "GIF"), ".gif")
    assert (image.axes, sorted(np.unique(image.pixels)), said) == ("yx", [0, 255], [])


@pytest.mark.parametrize(("kind", "suffix"), [("GIF", ".gif"), ("WEBP", ".webp")])
def test_animation_needs_a_page(tmp_path, kind, suffix):
    frames = [Pil.fromarray(np.full((24, 16, 3), value, np.uint8)) for value in (0, 100, 200)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {}))
    with pytest.raises(InputError, match=r"holds 3 images .*choose one, for example with page=0"):
        reading(tmp_path, data, suffix)
    with pytest.raises(InputError, match="no page 3: the file holds 3 images, numbered from 0"):
        reading(tmp_path, data, suffix, page=3)
    assert reading(tmp_path, data, suffix, page=2)[0].pixels.max() == 200
    assert reading(tmp_path, data, suffix, page=0)[0].pixels.max() == 0


@pytest.mark.parametrize("suffix", [".bmp", ".webp"])
def test_written_without_loss(tmp_path, suffix):
    write(Image(RGB, axes="yxc"), tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(read(tmp_path / f"x{suffix}").pixels, RGB)
