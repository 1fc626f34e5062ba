"""Class lists in the forms people have, and what they make of a data set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.core.events import collect_warnings
from microtome.learn.data.class_list import read_class_list
from microtome.learn.data.find import find_dataset
from microtome.learn.data.load import load

CAMVID = "128 128 128\tSky\n128 0 0\t\tBuilding\n0 0 0\t\tVoid\n"


def rows(path):
    return [(entry.value, entry.name, entry.role) for entry in read_class_list(path).classes]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("classes.json", '["background", "cell"]', [(0, "background", "background"), (1, "cell", "thing")]),
        ("classes.json", '{"1": "cell", "0": "background"}', [(0, "background", "background"), (1, "cell", "thing")]),
        ("classes.json", '{"cell": 1}', [(1, "cell", "thing")]),
        (
            "classes.json",
            '{"ignore_index": 255, "classes": [{"id": 1, "name": "cell"}]}',
            [(1, "cell", "thing"), (255, "ignored", "ignore")],
        ),
        ("classes.json", '[{"value": 3, "name": "wall", "role": "stuff"}]', [(3, "wall", "stuff")]),
        ("classes.txt", "background\ncell\n", [(0, "background", "background"), (1, "cell", "thing")]),
        (
            "labels.txt",
            "__ignore__\n_background_\ncell\nvessel\n",
            [(0, "_background_", "background"), (1, "cell", "thing"), (2, "vessel", "thing")],
        ),
        ("classes.txt", "# ids\n0: background\n7: white cell\n", [(0, "background", "background"), (7, "white cell", "thing")]),
        ("label_colors.txt", CAMVID, [(0, "Sky", "thing"), (1, "Building", "thing"), (2, "Void", "ignore")]),
        ("class_dict.csv", "name, r, g, b\nSky, 128, 128, 128\n", [(0, "Sky", "thing")]),
    ],
)
def test_forms(folder, name, text, expected):
    assert rows(folder.text(name, text)) == expected


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("classes.json", "{}", "names no class"),
        ("classes.json", '[{"id": "x", "name": "cell"}]', "whole number"),
        ("classes.json", '[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]', "value 1 stands more than once"),
        ("classes.json", '[{"id": 1, "name": "a", "color": [1, 2]}]', "three numbers"),
        ("classes.json", '["a", ""]', "has no name"),
        ("classes.txt", "", "names no class"),
        ("label_colors.txt", "1 1 1 a\n1 1 1 b\n", "the colour .1, 1, 1. of another"),
        ("class_dict.csv", "name,red\na,1\n", "columns name, r, g, b"),
    ],
)
def test_damage_is_told_with_the_file(folder, name, text, told):
    path = folder.text(name, text)
    with pytest.raises(InputError, match=told) as error:
        read_class_list(path)
    assert str(path) in str(error.value)


def test_a_list_makes_the_labels_classes(folder):
    folder.picture("images/a.png")
    folder.mask("labels/a.png", values=((1, 1, 0, 2), (1, 0, 0, 2)))
    folder.text("classes.json", json.dumps({"ignore_index": 2, "classes": ["background", "road", "void"]}))
    dataset = find_dataset(folder.root)
    assert dataset.kind == "semantic"
    assert load(dataset, dataset.entries[0]).truth.classes.values("ignore") == (2,)


def test_the_list_of_the_folder_above_is_used_and_told(folder):
    folder.picture("train/images/a.png")
    folder.mask("train/labels/a.png")
    folder.text("classes.txt", "background\nroad\nwall\n")
    with collect_warnings() as said:
        dataset = find_dataset(folder.root / "train")
    assert [entry.name for entry in dataset.classes] == ["background", "road", "wall"]
    assert "of the folder above" in said[0]


def test_camvid_colours_are_read_as_classes(folder):
    folder.picture("701_StillsRaw/images/a.png")
    colours = np.zeros((12, 16, 3), np.uint8)
    colours[2:4] = (128, 128, 128)
    colours[5:6] = (128, 0, 0)
    folder.save("701_StillsRaw/labels/a_L.png", colours)
    folder.text("label_colors.txt", CAMVID)
    dataset = find_dataset(folder.root)
    truth = load(dataset, dataset.entries[0]).truth
    assert np.asarray(truth)[[0, 2, 5], 0].tolist() == [2, 0, 1]
    assert truth.classes.values("ignore") == (2,)


def test_a_colour_the_list_does_not_name_is_refused_with_its_place(folder):
    folder.picture("images/a.png")
    colours = np.zeros((12, 16, 3), np.uint8)
    colours[3, 5] = (1, 2, 3)
    folder.save("labels/a.png", colours)
    folder.text("label_colors.txt", CAMVID)
    dataset = find_dataset(folder.root)
    with pytest.raises(InputError, match=r"1 pixels have colours .* first \(1, 2, 3\) at \(3, 5\)"):
        load(dataset, dataset.entries[0])


def test_ignore_adds_to_what_masks_say_themselves(folder):
    folder.picture("images/a.png")
    folder.mask("labels/a.png", values=((1, 1, 0, 255), (1, 0, 0, 255)))
    dataset = find_dataset(folder.root, kind="semantic", ignore=255)
    truth = load(dataset, dataset.entries[0]).truth
    assert [(entry.value, entry.role) for entry in truth.classes] == [(0, "background"), (1, "stuff"), (255, "ignore")]


def test_ignore_has_no_meaning_for_objects(folder):
    from microtome.core.errors import RecipeError

    folder.picture("images/a.png")
    folder.mask("labels/a.png")
    with pytest.raises(RecipeError, match="no meaning for objects"):
        find_dataset(folder.root, kind="instance", ignore=255)


def test_the_list_of_nnunet_and_the_decathlon(folder):
    folder.picture("Task01/imagesTr/a.png")
    folder.mask("Task01/labelsTr/a.png")
    folder.text(
        "Task01/dataset.json", '{"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "tumour", "2": "ignore"}, "training": []}'
    )
    dataset = find_dataset(folder.root)  # in a folder on the way to the masks
    assert [(entry.value, entry.name, entry.role) for entry in dataset.classes] == [
        (0, "background", "background"), (1, "tumour", "thing"), (2, "ignore", "ignore")
    ]  # fmt: skip
    folder.text("Task01/dataset.json", '{"labels": ["a", "b"]}')  # of somebody else
    with collect_warnings():
        assert not len(find_dataset(folder.root, kind="instance").classes)


def test_a_damaged_list_in_the_folder_above_is_told_and_passed_over(folder):
    folder.picture("set/images/a.png")
    folder.mask("set/masks/a.png")
    folder.text("classes.json", "{no json")
    with collect_warnings() as said:
        find_dataset(folder.root / "set", kind="instance")
    assert "passed over" in said[0]
