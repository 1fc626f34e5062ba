"""A folder an image, one mask file an object."""

from __future__ import annotations

import numpy as np

from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import load


def one(folder, base, name, *boxes):
    folder.picture(f"{base}{name}/images/{name}.png")
    for number, (top, left, bottom, right) in enumerate(boxes):
        pixels = np.zeros((12, 16), np.uint8)
        pixels[top:bottom, left:right] = 255
        folder.save(f"{base}{name}/masks/{number:04x}.png", pixels)


def test_dsb2018(folder):
    one(folder, "stage1_train/", "3a", (0, 0, 4, 4), (5, 5, 9, 9))
    one(folder, "stage1_train/", "7c", (2, 2, 6, 6))
    folder.picture("stage1_test/9f/images/9f.png")
    dataset = find_dataset(folder.root)
    assert dataset.kind == "instance"
    assert [(entry.name, entry.split, entry.truth and len(entry.truth.paths)) for entry in dataset] == [
        ("stage1_test/9f/images/9f", "test", None),
        ("stage1_train/3a/images/3a", "train", 2),
        ("stage1_train/7c/images/7c", "train", 1),
    ]
    assert [problem.kind for problem in dataset.problems] == ["image-without-mask"]
    truth = np.asarray(load(dataset, dataset.entries[1]).truth)
    assert (np.unique(truth) == [0, 1, 2]).all()
    assert (truth[0:4, 0:4] == 1).all()


def test_an_empty_folder_of_masks_is_an_image_without_objects(folder):
    one(folder, "", "3a", (0, 0, 4, 4))
    one(folder, "", "7c")
    (folder.root / "7c" / "masks").mkdir()
    dataset = find_dataset(folder.root)
    truth = load(dataset, dataset.entries[1]).truth
    assert truth.shape == (12, 16)
    assert len(truth) == 0


def test_one_image_with_its_own_mask_is_laid_out_by_name(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a_mask.png")
    assert find_dataset(folder.root, kind="instance").layout.startswith("images/ and masks/")
