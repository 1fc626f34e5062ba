"""Chains: plain data that is checked, drawn from a seed, replayed, and the same on any number of cores."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.kernels.bands import set_threads, threads
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Sample
from microtome.learn.augment import catalogue, mixup
from microtome.learn.augment.batch import copy_paste, cutmix
from microtome.learn.augment.chain import apply, chain_of
from microtome.learn.augment.contact_sheet import contact_sheet, picture_of
from microtome.learn.augment.example import Example, Frame, boxes_of, example_of
from microtome.learn.augment.overlap_tile import centre_of, margins, overlap_tiles, padded
from microtome.learn.augment.randomness import generator

EVERYTHING = [*catalogue.names("geometry"), *catalogue.names("intensity")]


def labelled(seed=0, shape=(32, 40)):
    rng = np.random.default_rng(seed)
    objects = np.zeros(shape, np.int32)
    objects[4:12, 5:14], objects[18:26, 20:34] = 1, 2
    boxes, ids = boxes_of(objects)
    return Example(
        rng.integers(0, 200, (*shape, 3)).astype(np.uint8), classes=(objects > 0).astype(np.uint8), objects=objects,
        object_class={1: 1, 2: 2}, boxes=boxes, box_ids=ids, points=boxes[:, :2] + 1, point_ids=ids, name=f"n{seed}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("chain", "place", "message"),
    [
        (["flip"], "augment[0]", "did you mean flips"),
        ([{"affine": {"scales": [1, 2]}}], "augment[0].scales", "did you mean scale"),
        ([{"affine": {"scale": [2, 1]}}], "augment[0].scale", "lower end first"),
        ([{"affine": {"scale": 2}}], "augment[0].scale", "2 numbers"),
        (["flips", {"elastic": {"sigma": -1}}], "augment[1].sigma", "from 0 to 1000"),
        ([{"gain": {"probability": 2}}], "augment[0].probability", "from 0 to 1"),
        ([{"gain": {"strength": [0, 1]}}], "augment[0].strength", "above 0"),
        ([{"gain": {}, "bias": {}}], "augment[0]", "a name with its settings"),
        ("flips", "augment", "a list of steps"),
        (["cutmix"], "augment[0]", "unknown augmentation 'cutmix'"),
    ],
)
def test_a_mistake_names_its_place(chain, place, message):
    with pytest.raises(RecipeError) as raised:
        chain_of(chain)
    assert str(raised.value).startswith(f"{place}:")
    assert message in str(raised.value)


def test_a_chain_reads_its_own_document():
    chain = chain_of(EVERYTHING)
    assert chain_of(json.loads(json.dumps(chain.document()))) == chain


def test_what_was_drawn_is_plain_data_and_does_the_same_again():
    example = labelled()
    drawn = chain_of(EVERYTHING).draw(generator(3), Frame((24, 24), 3))
    again = json.loads(json.dumps(drawn))
    for a, b in zip(*(vars(apply(one, example, shape=(24, 24), centre=(16, 20))).values() for one in (drawn, again)), strict=True):
        np.testing.assert_equal(a, b)


def test_one_core_or_many():
    example, before, opencv = labelled(shape=(700, 640)), threads(), cv2.getNumThreads()
    drawn = chain_of(EVERYTHING).draw(generator(5), example.frame)
    results = []
    try:
        for count in (1, 4):
            set_threads(count)
            cv2.setNumThreads(count)
            results.append(apply(drawn, example))
    finally:
        set_threads(before)
        cv2.setNumThreads(opencv)
    np.testing.assert_array_equal(results[0].image, results[1].image)
    np.testing.assert_array_equal(results[0].objects, results[1].objects)


def test_a_seed_names_one_stream():
    first = [generator(1, 2, 3).random() for _ in range(2)]
    assert first[0] == first[1]
    others = {generator(*numbers).random() for numbers in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (1, 2, 4), (1, 2))}
    assert len(others) == 5
    with pytest.raises(RecipeError, match="-1"):
        generator(-1)


def test_probability():
    chain = chain_of([{"flips": {"probability": 0.25}}])
    rng = generator(0)
    done = sum(len(chain.draw(rng, Frame((8, 8)))) for _ in range(2000))
    assert 400 < done < 600
    assert chain_of([{"flips": {"probability": 0}}]).draw(rng, Frame((8, 8))) == ()


def test_an_example_of_a_sample():
    image = Image(np.arange(12, dtype=np.int16).reshape(3, 4) - 3, spacing=(2.0, 1.0), unit="um")
    one = example_of(Sample(image, InstanceMap(np.ones((3, 4), np.int32), object_class={1: 5}), name="a"))
    assert one.image.dtype == np.float32
    assert one.span == pytest.approx((-3 + 0.11, -3 + 0.998 * 11))  # 1st and 99.8th percentile of -3 to 8
    assert one.aspect == (2.0, 1.0)
    assert one.object_class == {1: 5}
    with pytest.raises(InputError, match="cover the same pixels"):
        example_of(Sample(image, SemanticMap(np.ones((4, 4), np.uint8)), name="a"))
    with pytest.raises(InputError, match="a: 1 values of the image are NaN"):
        example_of(Sample(Image(np.array([[np.nan, 1.0]])), SemanticMap(np.ones((1, 2), np.uint8)), name="a"))
    with pytest.raises(InputError, match="empty"):
        example_of(Sample(Image(np.zeros((0, 2))), SemanticMap(np.zeros((0, 2), np.uint8)), name="a"))


def test_copy_paste_renumbers_and_hides():
    a, b = labelled(0), labelled(1)
    out = copy_paste.apply({"partner": [1, 0], "share": [1.0, 0.0], "seed": [1, 1]}, [a, b])
    there = b.objects > 0
    np.testing.assert_array_equal(out[0].image[there], b.image[there])
    np.testing.assert_array_equal(out[0].image[~there], a.image[~there])
    assert set(np.unique(out[0].objects)) == {0, 3, 4}  # the same places, so a's own objects are hidden
    assert out[0].object_class[3] == 1
    assert out[0].box_ids.tolist() == [3, 4]
    np.testing.assert_array_equal(out[1].image, b.image)
    np.testing.assert_array_equal(a.objects, labelled(0).objects)


def test_copy_paste_needs_objects_of_one_shape():
    with pytest.raises(InputError, match="instance map"):
        copy_paste.apply({"partner": [0], "share": [1.0], "seed": [1]}, [Example(np.zeros((4, 4, 1), np.uint8))])
    with pytest.raises(InputError, match="one shape"):
        copy_paste.apply({"partner": [1, 0], "share": [1.0] * 2, "seed": [1] * 2}, [labelled(), labelled(shape=(30, 40))])


def test_cutmix_takes_everything_inside_the_box():
    a, b = labelled(0), labelled(1)
    drawn = cutmix.draw(generator(4), a.frame, 2)
    drawn = {**drawn, "partner": [1, 0], "boxes": [[0, 0, 16, 40], drawn["boxes"][1]]}
    out = cutmix.apply(drawn, [a, b])
    np.testing.assert_array_equal(out[0].image[:16], b.image[:16])
    np.testing.assert_array_equal(out[0].image[16:], a.image[16:])
    assert set(np.unique(out[0].objects)) == {0, 2, 3}
    assert sorted(out[0].point_ids.tolist()) == [2, 3]


def test_cutmix_keeps_the_share_it_draws():
    kept = []
    for seed in range(300):
        for y0, x0, y1, x1 in cutmix.draw(generator(seed), Frame((64, 64)), 2)["boxes"]:
            assert 0 <= y0 <= y1 <= 64
            assert 0 <= x0 <= x1 <= 64
            kept.append((y1 - y0) * (x1 - x0) / 4096)
    assert 0.2 < np.mean(kept) < 0.45  # one half, less what the edge cuts off


def test_mixup_mixes_targets_too():
    images = np.stack([np.zeros((2, 2, 1)), np.full((2, 2, 1), 100)]).astype(np.uint8)
    labels = np.stack([np.zeros((2, 2)), np.ones((2, 2))]).astype(np.uint8)
    drawn = {"partner": [1, 0], "share": [0.7, 1.0]}
    mixed, targets = mixup.apply(drawn, images, mixup.soft(labels, 2))
    np.testing.assert_allclose(mixed[0], 30)
    np.testing.assert_allclose(targets[0, :, 0, 0], [0.7, 0.3])
    np.testing.assert_array_equal(mixed[1], images[1])
    with pytest.raises(InputError, match=r"mixup\.soft"):
        mixup.apply(drawn, images, labels)
    with pytest.raises(InputError, match="label 3 with 2 classes"):
        mixup.soft(np.array([[3]]), 2)


@pytest.mark.parametrize(("shape", "output"), [((30, 41), (8, 8)), ((5, 9), (8, 8)), ((12, 20, 9), (8, 8, 8))])
def test_overlap_tiles_put_an_image_together_again(shape, output):
    """A valid network whose output is its input's middle gives the image back."""
    margin = (3,) * len(shape)
    image = np.random.default_rng(0).integers(0, 255, shape)
    wide = padded(image, margin, ndim=len(shape))
    out = np.full(shape, -1)
    for first in overlap_tiles(shape, output):
        given_shape = [size + 6 for size in output]
        tile = wide[tuple(slice(at, at + n) for at, n in zip(first, given_shape, strict=True))]
        place = tuple(slice(at, at + n) for at, n in zip(first, output, strict=True))
        inner = centre_of(tile, margin)
        out[place] = inner[tuple(slice(0, n) for n in out[place].shape)]
    np.testing.assert_array_equal(out, image)


def test_margins_must_be_even():
    with pytest.raises(RecipeError, match="both sides"):
        margins((10, 10), (7, 8))


def test_a_contact_sheet_shows_the_seed(tmp_path):
    samples = [Sample(Image(labelled(k).image, axes="yxc"), InstanceMap(labelled(k).objects), name=str(k)) for k in range(3)]
    sheet = contact_sheet(samples, ["flips", "elastic"], (16, 16), 1, columns=3, rows=2)
    assert sheet.shape == (4 + 2 * 20, 4 + 3 * 20, 3)
    assert sheet.dtype == np.uint8
    np.testing.assert_array_equal(sheet, contact_sheet(samples, ["flips", "elastic"], (16, 16), 1, columns=3, rows=2))
    assert (sheet != contact_sheet(samples, ["flips", "elastic"], (16, 16), 2, columns=3, rows=2)).any()
    assert (sheet[:4] == 255).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_a_picture_of_any_channels_and_of_a_volume(channels):
    volume = Example(np.zeros((5, 8, 8, channels), np.uint16), classes=np.zeros((5, 8, 8), np.uint8))
    volume.classes[2, 2:5, 2:5] = 1
    picture = picture_of(volume)
    assert picture.shape == (8, 8, 3)
    assert picture[2, 2].tolist() == [230, 159, 0]
    assert picture[3, 3].tolist() == [0, 0, 0]
