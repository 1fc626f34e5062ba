"""Images and masks in one folder, told apart by their endings."""

from __future__ import annotations

import pytest

from microtome.core.events import collect_warnings
from microtome.learn.data.find import find_dataset
from microtome.learn.data.layouts import by_suffix


def test_ultrasound_nerve_pairs_tif_with_mask_tif(folder):
    folder.picture("train/1_1.tif", "train/1_10.tif", "train/2_1.tif")
    folder.mask("train/1_1_mask.tif", "train/1_10_mask.tif", "train/2_1_mask.tif")
    dataset = find_dataset(folder.root, kind="semantic", group=r"(\d+)_\d+")
    assert [(entry.name, entry.truth.path.name, entry.split, entry.group) for entry in dataset] == [
        ("train/1_1", "1_1_mask.tif", "train", "1"),
        ("train/1_10", "1_10_mask.tif", "train", "1"),
        ("train/2_1", "2_1_mask.tif", "train", "2"),
    ]
    assert not dataset.problems


@pytest.mark.parametrize(("image", "mask"), [("a", "a_masks"), ("a", "a_seg"), ("001_img", "001_masks"), ("a", "a_L"), ("a", "a_GT")])
def test_other_endings(folder, image, mask):
    folder.picture(f"{image}.png")
    folder.mask(f"{mask}.png")
    entries, problems = by_suffix.find(folder.root)
    assert [(entry.name, entry.truth.path.stem) for entry in entries] == [(image, mask)]
    assert not problems


def test_an_ending_without_any_partner_is_just_a_name(folder):
    folder.picture("a.png", "b.png", "eye_L.png")
    folder.mask("a_mask.png", "c_mask.png")
    entries, problems = by_suffix.find(folder.root)
    assert [(entry.name, entry.truth is not None) for entry in entries] == [("a", True), ("b", False), ("eye_L", False)]
    assert [(problem.kind, problem.file) for problem in problems] == [
        ("image-without-mask", "b.png"),
        ("image-without-mask", "eye_L.png"),
        ("mask-without-image", "c_mask.png"),
    ]


def test_of_two_endings_the_usual_one_is_read_and_the_other_told(folder):
    folder.picture("a.png", "b.png")
    folder.mask("a_mask.png", "b_mask.png", "a_gt.png")
    with collect_warnings() as said:
        entries, _ = by_suffix.find(folder.root)
    assert [entry.truth.path.name for entry in entries] == ["a_mask.png", "b_mask.png"]
    assert "*_gt (1)" in said[0]


def test_channels_by_ending_beside_masks(folder):
    folder.picture("a_dapi.png", "a_actin.png")
    folder.mask("a_mask.png")
    dataset = find_dataset(folder.root, kind="instance", channels=("_actin", "_dapi"))
    assert [(entry.name, [path.name for path in entry.images]) for entry in dataset] == [("a", ["a_actin.png", "a_dapi.png"])]


def test_carvana_gifs_are_classes_0_and_1(folder):
    import numpy as np
    from PIL import Image as Picture

    from microtome.learn.data.load import load

    folder.picture("train/car_01.png")
    path = folder.root / "train_masks" / "car_01_mask.gif"
    path.parent.mkdir()
    pixels = np.zeros((12, 16), np.uint8)
    pixels[3:6, 4:9] = 1
    frame = Picture.new("P", (16, 12))
    frame.putdata(pixels.ravel().tolist())
    frame.putpalette([0, 0, 0, 255, 255, 255])
    frame.save(path)
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert dataset.kind == "semantic"
    assert "palette" in said[0]
    assert (np.asarray(load(dataset, dataset.entries[0]).truth) == pixels).all()
    assert dataset.entries[0].split == "train"
