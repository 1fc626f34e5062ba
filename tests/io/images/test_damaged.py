"""Whatever is wrong with a file, the answer is an InputError that names it: never another error, never half a picture."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.io.images import read

RNG = np.random.default_rng(0)
GREY = np.clip(np.add.outer(np.arange(32) * 4, np.arange(40) * 3) + RNG.integers(0, 9, (32, 40)), 0, 255).astype(np.uint8)
RGB = np.dstack([GREY, 255 - GREY, GREY // 2])


def by_pillow(pixels, kind, **options):
    file = io.BytesIO()
    Pil.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def by_tifffile(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def by_numpy(pixels):
    file = io.BytesIO()
    np.save(file, pixels)
    return file.getvalue()


FILES = {
    "grey.png": by_pillow(GREY, "PNG"),
    "colour.png": by_pillow(RGB, "PNG"),
    "palette.png": by_pillow(np.asarray(Pil.fromarray(RGB).quantize(8).convert("RGB")), "PNG"),
    "grey.jpg": by_pillow(GREY, "JPEG"),
    "progressive.jpg": by_pillow(RGB, "JPEG", progressive=True),
    "lossy.webp": by_pillow(RGB, "WEBP"),
    "lossless.webp": by_pillow(RGB, "WEBP", lossless=True),
    "colour.bmp": by_pillow(RGB, "BMP"),
    "grey.gif": by_pillow(GREY, "GIF"),
    "film.gif": by_pillow(GREY, "GIF", save_all=True, append_images=[Pil.fromarray(255 - GREY)]),
    "raw.pgm": b"P5 40 32 255\n" + GREY.tobytes(),
    "text.ppm": b"P3 40 32 255\n" + b" ".join(b"%d" % v for v in RGB.ravel()) + b"\n",
    "array.npy": by_numpy(GREY.astype("f4")),
    "strips.tif": by_tifffile(GREY, metadata=None),
    "lzw.tif": by_tifffile(RGB, compression="lzw", photometric="rgb", tile=(16, 16)),
    "deflate.tif": by_tifffile(GREY.astype("u2"), compression="zlib", predictor=True, rowsperstrip=8),
    "jpeg.tif": by_tifffile(RGB, compression="jpeg", photometric="rgb", tile=(16, 16)),
    "pages.tif": by_tifffile(np.stack([GREY] * 4), photometric="minisblack", metadata=None, compression="zlib"),
    "imagej.tif": by_tifffile(np.stack([GREY] * 4), imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 2}, resolution=(2, 2)),
    "some.ome.tif": by_tifffile(
        np.stack([GREY] * 4), ome=True, photometric="minisblack", metadata={"axes": "CYX", "PhysicalSizeX": 1, "PhysicalSizeY": 1}
    ),
    "big.tif": by_tifffile(GREY, bigtiff=True, compression="zlib"),
}
OPTIONS = {"film.gif": {"page": 1}, "pages.tif": {"axes": "zyx"}}


def attempt(path, data, **options):
    """The image, or None after an InputError that names the file; any other error or warning passes and fails the test."""
    path.write_bytes(data)
    with warnings.catch_warnings(), collect_warnings():
        warnings.simplefilter("error")
        try:
            return read(path, **options)
        except InputError as error:
            message = str(error)
    assert message.startswith(f"{path}: ")
    return None


@pytest.mark.parametrize("name", FILES)
def test_sound_file_reads(tmp_path, name):
    assert attempt(tmp_path / name, FILES[name], **OPTIONS.get(name, {})).shape[-2:] == (32, 40)


@pytest.mark.parametrize("name", FILES)
def test_truncation_is_an_input_error_or_changes_nothing(tmp_path, name):
    data, options = FILES[name], OPTIONS.get(name, {})
    whole = attempt(tmp_path / name, data, **options).pixels
    lengths = {*range(1, min(len(data), 40)), *np.linspace(40, len(data) - 1, 60).astype(int).tolist(), len(data) - 2}
    lengths -= {len(data) - 2} if name == "text.ppm" else set()  # text that ends in 12 for 123 cannot be told
    survived = 0
    for length in sorted(lengths):
        image = attempt(tmp_path / name, data[:length], **options)
        if image is not None:
            survived += 1
            np.testing.assert_array_equal(image.pixels, whole, err_msg=f"cut after {length} of {len(data)} bytes")
    assert survived <= 2  # a trailer may be missing


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes_raise_nothing_else(tmp_path, name):
    data = FILES[name]
    rng = np.random.default_rng(len(data))
    head = np.arange(min(len(data), 160))
    for place in [*head, *rng.integers(0, len(data), 120), *range(len(data) - 20, len(data))]:
        changed = bytearray(data)
        changed[place] ^= int(rng.choice([0xFF, 0x01, 0x80]))
        attempt(tmp_path / name, bytes(changed), max_pixels=10**6, **OPTIONS.get(name, {}))


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".tif")])
def test_flipped_tags_raise_nothing_else(tmp_path, name):
    data = FILES[name]
    rng = np.random.default_rng(1)
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        starts = [tag.offset for page in tif.pages for tag in page.aspage().tags]
    for start in starts[:40]:
        for place in range(start, start + 12):
            changed = bytearray(data)
            changed[place] ^= int(rng.integers(1, 256))
            attempt(tmp_path / name, bytes(changed), max_pixels=10**6, **OPTIONS.get(name, {}))


def test_every_changed_byte_of_a_png_is_found(tmp_path):
    data = FILES["grey.png"]
    for place in range(8, len(data) - 4):
        changed = bytearray(data)
        changed[place] ^= 0x10
        assert attempt(tmp_path / "x.png", bytes(changed)) is None, f"byte {place}"


def test_pixels_cut_off_inside_a_sound_looking_png(tmp_path):
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 32, 8, 0, 0, 0, 0))
    for length in (len(packed) // 2, len(packed) - 8):
        assert attempt(tmp_path / "x.png", header + chunk(b"IDAT", packed[:length]) + chunk(b"IEND", b"")) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"label,area\n1,20\n", "it looks like text"),
        (b"%PDF-1.7", "it looks like a PDF"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b'<?xml version="1.0"?><svg/>', "XML or SVG"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"\x89PNG\n\x1a\n\0\0\0\rIHDR", "line endings were changed"),
        (bytes(600), "zeros only"),
        (bytes(range(1, 255)), "nothing known"),
        (b"\0" * 128 + b"DICM", "DICOM"),
    ],
)
def test_what_it_really_is_stands_in_the_error(tmp_path, content, what):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"image\.png: .*{what}"):
        read(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: there is no such file"):
        read(tmp_path / "none.png")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"no such file|cannot be read"):
        read("a\0b.png")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(FILES["grey.png"])

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match=r"x\.png: cannot be read: Permission denied"):
        read(path)


def test_unicode_and_blanks_in_paths(tmp_path):
    for name, data in (("Zellen – Ø 3µm (1).png", FILES["grey.png"]), ("細胞 α.tif", FILES["strips.tif"])):
        folder = tmp_path / "tief im Ordner ✓"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        np.testing.assert_array_equal(read(folder / name).pixels, GREY)


def test_pixels_are_read_only(tmp_path):
    (tmp_path / "x.png").write_bytes(FILES["grey.png"])
    image = read(tmp_path / "x.png")
    assert isinstance(image, Image)
    assert not image.pixels.flags.writeable
