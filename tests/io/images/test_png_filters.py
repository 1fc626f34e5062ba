"""Undoing PNG's filters agrees with libpng on random bytes of every kind."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microtome.core.errors import InputError
from microtome.io.images.png_filters import inflated_size, unpack

SAMPLES = {0: 1, 2: 3, 4: 2, 6: 4}
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def random_rows(height, width, samples, bits, interlaced, rng):
    """Random bytes with a valid filter at the head of each row, pass by pass as the specification lists them."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    raw = b""
    for top, left, down, right in passes if interlaced else [(0, 0, 1, 1)]:
        rows, columns = len(range(top, height, down)), len(range(left, width, right))
        for _ in range(rows if columns else 0):
            raw += rng.integers(0, 5, 1, np.uint8).tobytes() + rng.bytes((columns * samples * bits + 7) // 8)
    return raw


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    height=st.integers(1, 19),
    width=st.integers(1, 19),
    interlaced=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_agrees_with_libpng(kind, height, width, interlaced, seed):
    colour, bits = kind
    samples = SAMPLES[colour]
    raw = random_rows(height, width, samples, bits, interlaced, np.random.default_rng(seed))
    assert len(raw) == inflated_size(height, width, samples, bits, interlaced)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    theirs = imagecodecs.png_decode(file).reshape(height, width, samples)
    ours = unpack(raw, height, width, samples, bits, interlaced)
    stretched = ours * np.uint8(255 // (2**bits - 1)) if bits < 8 else ours
    np.testing.assert_array_equal(stretched, theirs)


def test_unknown_filter_is_damage():
    with pytest.raises(InputError, match="row 1 of the PNG has filter 9"):
        unpack(bytes([0, 1, 2, 9, 1, 2]), 2, 2, 1, 8, False)
