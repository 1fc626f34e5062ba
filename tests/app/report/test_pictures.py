"""Previews: what the eye sees may be stretched and averaged, ids may not."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from microtome.app.report.pictures import Scale, encode_labels, layer, nearest, outlined, to_webp, visible
from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.raster import Image, InstanceMap, SemanticMap


def test_labels_are_never_mixed(coins: NDArray[np.uint8]) -> None:
    labels = coins.astype(np.int32) * 9973
    assert set(np.unique(nearest(labels, (37, 41)))) <= set(np.unique(labels))


def test_labels_travel_exactly() -> None:
    numbers = np.array([[0, 1, 255], [256, 65_536, 70_001]], np.int32)
    data = encode_labels(numbers)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(data["labels"])), np.uint8).reshape(data["planes"], 2, 3)
    np.testing.assert_array_equal(sum(planes[k].astype(int) << 8 * k for k in range(data["planes"])), numbers)


def test_a_class_keeps_its_colour_whatever_else_is_in_the_picture() -> None:
    classes = ClassTable(
        (ClassEntry(0, "ground", "background"), ClassEntry(3, "a", "stuff"), ClassEntry(9, "b", "stuff"), ClassEntry(255, "?", "ignore"))
    )
    both = layer(SemanticMap(np.array([[0, 3, 9, 255]], np.uint8), classes=classes), (1, 4))
    alone = layer(SemanticMap(np.array([[0, 0, 9, 255]], np.uint8), classes=classes), (1, 4))
    assert both.ids.tolist() == alone.ids.tolist() == [3, 9]
    assert both.numbers.tolist() == [[0, 1, 2, 0]]
    assert alone.numbers.tolist() == [[0, 0, 2, 0]]


def test_eight_bits_are_shown_as_they_are(coins: NDArray[np.uint8]) -> None:
    shown, notes = visible(Image(coins), coins.shape)
    np.testing.assert_array_equal(shown, coins)
    assert notes == []


def test_sixteen_bits_are_stretched_and_it_is_said(coins: NDArray[np.uint8]) -> None:
    shown, notes = visible(Image(coins.astype(np.uint16) * 40 + 300), coins.shape)
    assert (shown.min(), shown.max()) == (0, 255)
    assert "percentiles 0.5 and 99.5 for display" in notes[0]


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((6, 20, 30), "zyx", (20, 30)),
        ((20, 30, 1), "yxc", (20, 30)),
        ((20, 30, 2), "yxc", (20, 30, 3)),
        ((5, 20, 30, 7), "zyxc", (20, 30, 3)),
    ],
)
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.float64])
def test_every_shape_and_type_has_a_picture(shape: tuple[int, ...], axes: str, expected: tuple[int, ...], dtype: Any) -> None:
    pixels = (np.arange(np.prod(shape)).reshape(shape) % 200).astype(dtype)
    shown, notes = visible(Image(pixels, axes=axes), (20, 30))
    assert shown.shape == expected
    assert shown.dtype == np.uint8
    assert any("middle" in note for note in notes) == axes.startswith("z")
    assert to_webp(shown)


def test_nan_and_flat_images_are_shown_dark() -> None:
    pixels = np.full((9, 9), np.nan)
    pixels[:3] = 1.0
    assert visible(Image(pixels), (9, 9))[0].max() == 0


def test_outlines_lie_inside_their_object() -> None:
    mask = np.zeros((9, 9), np.int32)
    mask[2:7, 2:7] = 4
    drawn = outlined(np.zeros((9, 9), np.uint8), [layer(InstanceMap(mask), (9, 9))])
    coloured = drawn.any(axis=2)
    assert np.count_nonzero(coloured) == 16
    assert not coloured[mask == 0].any()


def test_more_images_make_smaller_previews() -> None:
    sides = [Scale.for_images(count).side for count in (1, 50, 500, 5000)]
    assert sides == sorted(sides, reverse=True)
    assert Scale.for_images(500).characters * 500 <= 50_000_000


def test_webp_is_a_picture_of_the_same_size(astronaut: NDArray[np.uint8]) -> None:
    assert PIL.Image.open(io.BytesIO(base64.b64decode(to_webp(astronaut[:100, :77])))).size == (77, 100)
