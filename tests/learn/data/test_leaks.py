"""Copies, pieces and look-alikes across splits are found; what merely has the same caption is not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from microtome.core.events import collect_warnings
from microtome.core.raster import Image
from microtome.learn.data.find import find_dataset
from microtome.learn.data.leaks import find_leaks, leaks, signature

AXES = {2: "yx", 3: "yxc"}


def scene(seed, shape=(240, 320), channels=3):
    """A picture with coarse and fine structure, unlike any other seed's."""
    rng = np.random.default_rng(seed)
    pixels = sum(
        np.kron(rng.normal(0, 60 / k, (shape[0] // k + 1, shape[1] // k + 1)), np.ones((k, k)))[: shape[0], : shape[1]] for k in (4, 10, 40)
    )
    grey = np.clip(128 + pixels + rng.normal(0, 4, shape), 0, 255).astype(np.uint8)
    return grey if channels == 1 else np.stack([grey, grey // 2, 255 - grey], axis=-1)


def as_jpeg(pixels, quality, scale=1.0):
    picture = Picture.fromarray(pixels)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Picture.Resampling.BILINEAR)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return np.asarray(Picture.open(stream))


def found(splits=None, groups=None, **pictures):
    signatures = {name: signature(Image(pixels, axes=AXES[pixels.ndim])) for name, pixels in pictures.items()}
    problems = find_leaks(signatures, splits or {}, groups=groups)
    return [(problem.kind, problem.severity, problem.file, problem.others) for problem in problems]


def test_different_pictures_have_nothing_in_common():
    splits = {f"p{k}": "train" if k % 2 else "val" for k in range(30)}
    assert found(splits, **{name: scene(k) for k, name in enumerate(splits)}) == []


def test_the_same_pixels_in_two_splits():
    a = scene(0)
    assert found({"a": "train", "b": "val"}, a=a, b=a.copy(), c=scene(1)) == [("same-picture-in-two-splits", "problem", "a", ("b",))]


def test_the_same_pixels_in_one_split_or_without_splits():
    a = scene(0)
    assert found({"a": "train", "b": "train"}, a=a, b=a) == [("duplicated-image", "problem", "a", ("b",))]
    assert found(a=a, b=a, c=a) == [("duplicated-image", "problem", "a", ("b", "c"))]


@pytest.mark.parametrize(("quality", "scale"), [(95, 1.0), (30, 1.0), (80, 0.5), (80, 2.0), (90, 0.35)])
def test_a_copy_saved_anew_or_resized_is_the_same_picture(quality, scale):
    a = scene(3)
    assert found({"a": "train", "b": "val"}, a=a, b=as_jpeg(a, quality, scale)) == [("same-picture-in-two-splits", "problem", "a", ("b",))]


def test_blank_pictures_are_all_alike_and_that_is_a_note():
    blank = np.full((50, 60), 7, np.uint8)
    assert found({"a": "train", "b": "val"}, a=blank, b=blank) == [("same-picture-in-two-splits", "note", "a", ("b",))]
    assert found({"a": "train", "b": "val"}, a=blank, b=blank + 1) == []


@given(st.integers(0, 150), st.integers(0, 200), st.integers(64, 90), st.integers(64, 120), st.sampled_from([1, 3]))
def test_a_crop_anywhere_is_found(top, left, height, width, channels):
    whole = scene(5, channels=channels)
    piece = whole[top : top + height, left : left + width]
    assert found({"a": "train", "b": "val"}, a=whole, b=piece) == [("cut-from-another", "problem", "b", ("a",))]


def test_overlapping_tiles_share_pixels():
    whole = scene(6)
    tiles = {"a": whole[:, :200], "b": whole[:, 120:]}
    assert found({"a": "train", "b": "val"}, **tiles) == [("cut-from-another", "problem", "b", ("a",))]
    assert found({"a": "train", "b": "train"}, **tiles) == [("cut-from-another", "note", "b", ("a",))]
    assert found(**tiles) == [("cut-from-another", "note", "b", ("a",))]
    assert found(groups={"a": "g", "b": "g"}, **tiles) == []


def test_a_piece_of_several_pictures_names_them_all():
    whole = scene(7)
    pictures = {"a": whole, "b": whole[:200, :300], "c": whole[50:150, 60:180]}
    problems = found({"a": "train", "b": "train", "c": "val"}, **pictures)
    assert ("cut-from-another", "problem", "c", ("a", "b")) in problems


def test_a_caption_in_every_picture_is_no_leak():
    caption = scene(99, (40, 120))
    pictures = {}
    for k in range(6):
        pictures[f"p{k}"] = scene(k)
        pictures[f"p{k}"][-40:, -120:] = caption
    assert found({name: "train" if k % 2 else "val" for k, name in enumerate(pictures)}, **pictures) == []


def test_a_grey_picture_and_its_copy_in_three_equal_channels():
    grey = scene(8, channels=1)
    assert found({"a": "train", "b": "val"}, a=grey, b=np.stack([grey] * 3, axis=-1)[:150]) == [
        ("cut-from-another", "problem", "b", ("a",))
    ]


def test_pieces_of_volumes():
    volume = np.random.default_rng(0).integers(0, 60000, (6, 80, 90), np.uint16)
    one, other = (signature(Image(pixels, axes="zyx")) for pixels in (volume, volume[2:5, 10:70, 5:65]))
    (problem,) = find_leaks({"a": one, "b": other}, {"a": "train", "b": "test"})
    assert (problem.kind, problem.file, problem.values) == ("cut-from-another", "b", (3, 60, 60))


def mixed(seed, other, part):
    """A scene with a little of another one: the thumbnails of two such correlate at about 1 / (1 + part ** 2)."""
    return ((scene(seed).astype(float) + part * scene(other)) / (1 + part)).astype(np.uint8)


def test_a_scene_taken_twice_is_a_problem_across_splits_only():
    pictures = {"a": mixed(40, 41, 0.3), "b": mixed(40, 42, 0.3), **{f"s{k}": scene(20 + k) for k in range(10)}}
    assert found({"a": "train", "b": "val"}, **pictures) == [("near-duplicate", "problem", "a", ("b",))]
    assert found(dict.fromkeys(pictures, "train"), **pictures) == []
    assert found(**pictures) == [("near-duplicate", "note", "a", ("b",))]
    assert found(groups={"a": "g", "b": "g"}, **pictures) == []


def test_neighbours_in_a_film_are_a_note():
    frames = {f"f{k}": mixed(40, 50 + k, 0.3) for k in range(6)}
    pictures = {**frames, **{f"s{k}": scene(20 + k) for k in range(10)}}
    splits = {name: "train" if name < "f3" else "val" for name in pictures}
    assert found(splits, **pictures) == [("near-duplicate", "note", "f0", ("f1", "f2", "f3", "f4", "f5"))]


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (7, 300)])
def test_small_pictures_have_a_signature(shape):
    assert len(signature(Image(np.zeros(shape, np.uint8))).hashes) == 0


def test_floats_with_holes_and_many_channels():
    pixels = np.random.default_rng(0).normal(0, 1, (30, 40, 6)).astype(np.float64)
    pixels[3, 4] = np.nan
    assert np.isfinite(signature(Image(pixels, axes="yxc")).look).all()


def test_a_picture_that_cannot_be_read_is_told_and_the_others_go_on(folder):
    for name in ("a", "b", "c"):
        folder.save(f"train/images/{name}.png", scene(0 if name != "c" else 1))
        folder.mask(f"train/masks/{name}.png")
    folder.text("train/images/d.png", "no picture")
    folder.mask("train/masks/d.png")
    dataset = find_dataset(folder.root, kind="instance")
    with collect_warnings() as said:
        problems = leaks(dataset)
    assert [(problem.kind, problem.file, problem.others) for problem in problems] == [
        ("duplicated-image", "train/images/a", ("train/images/b",))
    ]
    assert "d.png" in said[0]
    assert said[0].endswith("not looked at for leaks")


def test_bccd_has_one_scene_in_two_splits(labelled_sets):
    with collect_warnings():
        problems = leaks(find_dataset(labelled_sets / "bccd"))
    assert [(problem.kind, problem.severity, problem.file, problem.others) for problem in problems] == [
        ("near-duplicate", "problem", "images/BloodImage_00037", ("images/BloodImage_00038",))
    ]


@pytest.mark.parametrize("name", ["isbi2012", "magnetic_tile", "penn_fudan", "hippocampus_3d", "dsb2018_nuclei"])
def test_sets_divided_with_care_have_no_leak(labelled_sets, name):
    with collect_warnings():
        assert [problem for problem in leaks(find_dataset(labelled_sets / name)) if problem.severity == "problem"] == []


@pytest.mark.slow
def test_a_film_divided_by_stretches_gives_no_alarm(labelled_sets):
    assert [problem for problem in leaks(find_dataset(labelled_sets / "camvid")) if problem.severity == "problem"] == []
