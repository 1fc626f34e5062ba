"""PBM, PGM and PPM, text and raw."""

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.raster import Image
from microtome.io.images import read, write

HEX = {"1": "P1 3 2 010 1 0 1", "1 comment": "P1\n# a\n3 #b\n2\n0 1 0\n# c\n101\n"}


def reading(tmp_path, data):
    path = tmp_path / "x.pnm"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read(path).pixels


@pytest.mark.parametrize("text", HEX.values(), ids=HEX)
def test_bits_as_text_1_is_black(tmp_path, text):
    assert reading(tmp_path, text).tolist() == [[255, 0, 255], [0, 255, 0]]


def test_raw_bits(tmp_path):
    assert reading(tmp_path, b"P4 3 2\n" + bytes([0b01000000, 0b10100000])).tolist() == [[255, 0, 255], [0, 255, 0]]


def test_text_values_are_not_stretched_to_the_maximum(tmp_path):
    pixels = reading(tmp_path, "P2 # grey\n2 2\n15\n0 1\n14 15\n")
    assert (pixels.dtype, pixels.tolist()) == (np.uint8, [[0, 1], [14, 15]])


def test_text_colours_16_bits(tmp_path):
    pixels = reading(tmp_path, "P3 1 1 1000 10 20 1000")
    assert (pixels.dtype, pixels.tolist()) == (np.uint16, [[[10, 20, 1000]]])


def test_raw_16_bits_are_big_endian(tmp_path):
    pixels = reading(tmp_path, b"P5 2 1 65535\n\x01\x02\xff\xff")
    assert (pixels.dtype.isnative, pixels.tolist()) == (True, [[258, 65535]])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P5 4 4 255\n123", "cut off: its pixels need at least 16 bytes, 3 are there"),
        (b"P2 2 2 255\n1 2 3      ", "cut off: 3 of 4 values are there"),
        (b"P2 2 1 7\n1 9", "value 9, above the PNM's largest, 7"),
        (b"P2 2 1 70000\n1 9", "largest value is 70000"),
        (b"P2 2 1 255\n1 red", "b'red' stands among the PNM's values"),
        (b"P1 2 1\n1 5", "above the PNM's largest"),
        (b"P5 2\n", "header of the PNM is damaged"),
        (b"P5 999999 999999 255\n", "cut off"),
        (b"P5 0 5 255\n", "no image in it"),
    ],
)
def test_damage_is_named(tmp_path, data, message):
    with pytest.raises(InputError, match=rf"x\.pnm: .*{message}"):
        reading(tmp_path, data)


def test_wrong_suffix_for_the_channels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.pgm does not hold 3 channel"):
        write(Image(np.zeros((2, 2, 3), np.uint8), axes="yxc"), tmp_path / "x.pgm")
    with pytest.raises(InputError, match="a PNM holds one plane of uint8 or uint16"):
        write(Image(np.zeros((2, 2), np.float32)), tmp_path / "x.pgm")
