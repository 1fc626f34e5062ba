"""What labels are: classes or objects."""

from __future__ import annotations

import numpy as np
import pytest

from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import write_mask
from microtome.learn.data.find import find_dataset
from microtome.learn.data.kind import kind_of_masks
from microtome.learn.data.load import load


def verdict(folder, *masks):
    for number, pixels in enumerate(masks):
        folder.save(f"{number}.png", np.asarray(pixels, np.uint8))
    return kind_of_masks([folder.root / f"{number}.png" for number in range(len(masks))])


def cells(count, seed):
    """Squares numbered from 1."""
    pixels = np.zeros((64, 64), np.uint8)
    order = np.random.default_rng(seed).permutation(49)[:count]
    for number, place in enumerate(order, 1):
        top, left = 9 * (place // 7), 9 * (place % 7)
        pixels[top : top + 7, left : left + 7] = number
    return pixels


def test_a_note_in_the_masks_is_no_assumption(folder):
    for make, kind in ((SemanticMap, "semantic"), (InstanceMap, "instance")):
        path = write_mask(make(np.array([[0, 1, 1], [0, 0, 2]], np.int32)), folder.root / kind)
        assert kind_of_masks([path])[:2] == (kind, "")


def test_objects_numbered_from_1_in_one_piece(folder):
    assert verdict(folder, *(cells(count, count) for count in (3, 5, 8, 4))).kind == "instance"


def test_many_values_are_objects(folder):
    assert verdict(folder, cells(40, 0)).kind == "instance"


def test_values_in_several_pieces_are_classes(folder):
    stripes = np.zeros((32, 32), np.uint8)
    stripes[::8], stripes[4::8] = 1, 2
    found = verdict(folder, stripes)
    assert (found.kind, found.assumed) == ("semantic", "100% of the values are in several pieces")


def test_numbers_left_out_are_classes(folder):
    masks = [np.where(cells(1, seed) > 0, seed, 0) for seed in (3, 2, 5, 4)]
    assert verdict(folder, *masks).kind == "semantic"


def test_the_same_values_everywhere_are_classes(folder):
    assert verdict(folder, *(cells(2, seed) for seed in range(8))).kind == "semantic"
    assert verdict(folder, *(cells(2, seed) for seed in range(3))).kind == "instance"


def test_black_and_white_pictures_share_one_class_table(folder):
    folder.picture("images/a.png", "images/b.png")
    folder.mask("masks/a.png", values=((255, 0, 0, 0), (0, 0, 0, 0)))
    folder.mask("masks/b.png", values=((0, 0, 0, 0), (0, 0, 0, 0)))
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert dataset.kind == "semantic"
    assert "masks of 0 and 255" in said[0]
    with collect_warnings():
        assert [load(dataset, entry).truth.classes.values("thing") for entry in dataset] == [(255,), (255,)]


def test_the_caller_is_not_contradicted(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png")
    assert find_dataset(folder.root, kind="instance").kind == "instance"
    assert find_dataset(folder.root, kind="semantic").kind == "semantic"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("camvid", "semantic"),
        ("isbi2012", "semantic"),
        ("magnetic_tile", "semantic"),
        ("hippocampus_3d", "semantic"),
        ("penn_fudan", "instance"),
        ("nuclei_3d", "instance"),
        ("dsb2018_nuclei/fluorescence", "instance"),
        ("dsb2018_nuclei/histology", "instance"),
        ("bccd", "instance"),
    ],
)
def test_known_sets(labelled_sets, name, kind):
    with collect_warnings():
        assert find_dataset(labelled_sets / name).kind == kind


@pytest.mark.parametrize("name", ["camvid", "magnetic_tile"])
def test_sets_with_a_class_list_look_like_classes_without_it(labelled_sets, name):
    paths = sorted((labelled_sets / name).glob("*/labels/*.png")) or sorted((labelled_sets / name).glob("*/masks/*.png"))
    assert kind_of_masks(paths).kind == "semantic"


def test_masks_of_0_and_1_are_one_class(folder):
    found = verdict(folder, cells(1, 0), cells(1, 1))
    assert (found.kind, found.assumed) == ("semantic", "1 is the only value besides 0")


def test_a_class_list_that_does_not_fit_the_masks_is_passed_over(folder):
    for number in range(4):
        folder.picture(f"images/{number}.png", shape=(64, 64))
        folder.save(f"masks/{number}.png", cells(5 + number, number))
    folder.text("classes.txt", "cell\n")
    with collect_warnings() as said:
        dataset = find_dataset(folder.root)
    assert dataset.kind == "instance"
    assert "classes.txt does not name the values 1, 2, 3, 4, 5, 6, ..." in said[0]
    with collect_warnings():
        assert find_dataset(folder.root, kind="semantic").classes.values("thing") == (0,)


def test_the_name_of_the_folder_says_what_masks_are(folder):
    folder.picture("images/a.png")
    folder.save("instance_masks/a.png", cells(1, 0)[:12, :16])
    folder.save("semantic_masks/a.png", cells(3, 0)[:12, :16])
    with collect_warnings() as said:
        assert find_dataset(folder.root).kind == "instance"
        assert find_dataset(folder.root, kind="semantic").entries[0].truth.path.parent.name == "semantic_masks"
    assert not any("nothing says" in message for message in said)


def test_255_beside_classes_is_asked_about(folder):
    folder.picture("images/a.png")
    folder.mask("masks/a.png", values=((1, 2, 1, 255), (2, 1, 2, 255)))
    with collect_warnings() as said:
        find_dataset(folder.root)
        find_dataset(folder.root, ignore=255)
    assert [place for place, message in enumerate(said) if "say ignore=255" in message] == [1]
