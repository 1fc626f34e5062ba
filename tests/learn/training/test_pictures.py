"""Pictures of held-out images: the right slice, the right colours, within the run's folder."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.learn.training.pictures import FOUND, SIDE, TRUE, draw, write_case, write_step


def seen(png: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"))


def square(top: int, bottom: int, left: int, right: int, value: int = 1, size: int = 40) -> np.ndarray:
    labels = np.zeros((size, size), np.int32)
    labels[top:bottom, left:right] = value
    return labels


def places(picture: np.ndarray, colour: tuple[int, int, int]) -> set[tuple[int, int]]:
    return {(int(y), int(x)) for y, x in np.argwhere((picture == colour).all(axis=-1))}


def frame(top: int, bottom: int, left: int, right: int) -> set[tuple[int, int]]:
    rows, columns = range(top, bottom), range(left, right)
    return {(y, x) for y in rows for x in columns if y in (top, bottom - 1) or x in (left, right - 1)}


def test_found_outlines_lie_over_true_ones_inside_the_objects():
    truth, mask = square(5, 15, 5, 15), square(5, 15, 5, 20)
    picture = seen(draw(Image(np.zeros((40, 40), np.uint8)), InstanceMap(mask), InstanceMap(truth)))
    found, true = frame(5, 15, 5, 20), frame(5, 15, 5, 15)
    assert places(picture, FOUND) == found
    assert places(picture, TRUE) == true - found
    assert (picture.any(axis=-1)).sum() == len(found | true)


def test_objects_that_touch_have_each_their_outline():
    labels = square(5, 15, 5, 15) + square(5, 15, 15, 25, 2)
    picture = seen(draw(Image(np.zeros((40, 40), np.uint8)), truth=InstanceMap(labels)))
    assert places(picture, TRUE) == frame(5, 15, 5, 15) | frame(5, 15, 15, 25)


def test_a_large_picture_is_made_small_and_a_small_one_is_left():
    assert seen(draw(Image(np.zeros((1000, 500), np.uint8)))).shape == (SIDE, SIDE // 2, 3)
    assert seen(draw(Image(np.zeros((3, 7), np.uint8)))).shape == (3, 7, 3)
    assert seen(draw(Image(np.zeros((1, 5000), np.uint8)))).shape == (1, SIDE, 3)


def test_the_slice_with_most_truth_is_shown_whatever_was_found():
    pixels = np.zeros((5, 20, 20), np.uint8) + (np.arange(5, dtype=np.uint8) * 40)[:, None, None]
    truth, mask = np.zeros((2, 5, 20, 20), np.int32)
    truth[3, 2:9, 2:9], truth[1, 2:4, 2:4] = 1, 1
    mask[0, :, :] = 1
    image = Image(pixels, axes="zyx")
    for one in (draw(image, InstanceMap(mask, axes="zyx"), InstanceMap(truth, axes="zyx"), bare=True),
                draw(image, truth=InstanceMap(truth, axes="zyx"), bare=True)):  # fmt: skip
        assert (seen(one) == 120).all()
    truth[:] = 0
    truth[1:4] = 1  # three alike: the middle one
    assert (seen(draw(image, truth=SemanticMap(truth, axes="zyx"), bare=True)) == 80).all()
    assert (seen(draw(image)) == 80).all()


def test_sixteen_bits_are_stretched_over_the_bulk_of_the_values():
    pixels = np.linspace(1000, 2000, 40 * 40).reshape(40, 40).astype(np.uint16)
    pixels[0, 0] = 65535  # one hot pixel
    picture = seen(draw(Image(pixels)))
    assert picture.min() == 0
    assert 240 < np.median(picture[-1]) <= 255
    assert 120 < np.median(picture) < 136
    for odd in (np.full((9, 9), np.nan, np.float32), np.full((9, 9), 7.0), np.zeros((9, 9), bool), np.zeros((9, 9), np.int64)):
        assert seen(draw(Image(odd))).shape == (9, 9, 3)


def test_channels_are_colours():
    pixels = np.zeros((9, 9, 5), np.uint8)
    pixels[..., 1] = 200
    assert seen(draw(Image(pixels, axes="yxc")))[0, 0].tolist() == [0, 200, 0]
    assert seen(draw(Image(pixels[..., :2], axes="yxc")))[0, 0].tolist() == [0, 200, 0]
    assert seen(draw(Image(pixels[..., 1:2], axes="yxc")))[0, 0].tolist() == [200, 200, 200]


def test_several_classes_are_tints_and_what_is_ignored_is_dark():
    table = ClassTable(
        (ClassEntry(0, "background", "background"), ClassEntry(1, "a"), ClassEntry(2, "b"), ClassEntry(255, "void", "ignore"))
    )
    labels = (square(0, 40, 0, 10) + square(0, 40, 10, 20, 2) + square(0, 40, 30, 40, 255)).astype(np.uint8)
    picture = seen(draw(Image(np.full((40, 40), 200, np.uint8)), SemanticMap(labels, classes=table)))
    a, b, outside, ignored = (picture[20, column].astype(int) for column in (5, 15, 25, 35))
    assert len({tuple(one) for one in (a, b, outside, ignored)}) == 4
    assert outside.tolist() == [110, 110, 110]
    assert ignored.max() < outside.max() / 2
    one = seen(draw(Image(np.zeros((40, 40), np.uint8)), truth=SemanticMap(square(5, 15, 5, 15).astype(np.uint8))))
    assert places(one, TRUE) == frame(5, 15, 5, 15)


def test_the_input_is_left_as_it_was():
    pixels = np.full((10, 10), 100, np.uint8)
    draw(Image(pixels), InstanceMap(square(2, 8, 2, 8, size=10)))
    assert (pixels == 100).all()


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"\(40, 40\), the truth \(10, 10\)"):
        draw(Image(np.zeros((40, 40), np.uint8)), truth=InstanceMap(np.zeros((10, 10), np.int32)))


@pytest.mark.parametrize("case", ["a", "plate1/a b.tif", "../../out", "/root", "C:\\x", ".."])
def test_pictures_stay_within_the_folder_whatever_a_case_is_called(tmp_path, case):
    run = tmp_path / "run"
    image, labels = Image(np.zeros((9, 9), np.uint8)), InstanceMap(square(2, 7, 2, 7, size=9))
    write_case(run, case, image, labels)
    place = write_step(run, case, 50, image, labels, labels)
    assert (run / place).resolve().is_relative_to((run / "pictures").resolve())
    assert {one.name for one in (run / place).parent.iterdir()} == {"image.png", "truth.png", "0000050.png"}
    assert places(seen((run / place).with_name("truth.png").read_bytes()), TRUE) == frame(2, 7, 2, 7)
    assert not seen((run / place).with_name("image.png").read_bytes()).any()
