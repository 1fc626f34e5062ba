"""A file may not claim more than it can hold."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from microtome.core.errors import InputError, RecipeError
from microtome.io.images import limits, read


def png_claiming(width, height):
    file = io.BytesIO()
    Pil.fromarray(np.zeros((4, 4), np.uint8)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def tiff_claiming(width, height):
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((4, 4), np.uint8), metadata=None, compression="zlib")
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        tags = tif.pages[0].tags
        for code, value in ((256, width), (257, height), (278, height)):
            place = tags[code].offset
            data[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(data)


@pytest.mark.parametrize("data", [png_claiming(500_000, 400_000), tiff_claiming(500_000, 400_000)], ids=["png", "tiff"])
def test_a_bomb_is_refused_with_its_claim_and_the_way_to_allow_it(tmp_path, data):
    path = tmp_path / "bomb"
    path.write_bytes(data)
    message = (
        r"bomb: its header says 400,000 x 500,000, 186\.3 GiB decoded, and the file has .*max_pixels=200000000000.*MICROTOME_MAX_PIXELS"
    )
    with pytest.raises(InputError, match=message):
        read(path)


def test_max_pixels_replaces_the_rule(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(png_claiming(4, 4))
    assert read(path, max_pixels=16).pixels.size == 16
    with pytest.raises(InputError, match="16 values, more than max_pixels = 15"):
        read(path, max_pixels=15)
    monkeypatch.setenv("MICROTOME_MAX_PIXELS", "15")
    with pytest.raises(InputError, match="max_pixels = 15"):
        read(path)
    assert read(path, max_pixels=16).pixels.size == 16
    monkeypatch.setenv("MICROTOME_MAX_PIXELS", "many")
    with pytest.raises(RecipeError, match="MICROTOME_MAX_PIXELS is 'many'"):
        read(path)


def test_a_large_honest_file_passes():
    limits.check_size((500, 4096, 4096), 1, 500 * 2**24, None)
    limits.check_size((30000, 30000), 1, 1000, None)
    with pytest.raises(InputError):
        limits.check_size((40000, 40000), 1, 2**20, None)
    with pytest.raises(InputError):
        limits.check_size((2**18, 2**18), 1, 2**36, None)


def test_a_tile_larger_than_its_image_is_refused(tmp_path):
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((16, 16), np.uint8), metadata=None, compression="zlib", tile=(16, 16))
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as tif:
        for code in (322, 323):
            place = tif.pages[0].tags[code].offset
            data[place + 2 : place + 12] = struct.pack("<HII", 4, 1, 2**20)
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(InputError, match="larger than the image"):
        read(tmp_path / "x.tif")


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_no_pixels_is_an_error(tmp_path, size):
    (tmp_path / "x.png").write_bytes(png_claiming(*size))
    with pytest.raises(InputError, match="no image in it"):
        read(tmp_path / "x.png")
