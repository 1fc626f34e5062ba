"""Classes: places in the table, ignored values, unknown values, one layer."""

import numpy as np
import pytest

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.targets.semantic.classes import classes, encode, heads

TABLE = ClassTable((ClassEntry(200, "car"), ClassEntry(0, "sky", "background"), ClassEntry(11, "void", "ignore"), ClassEntry(5, "road")))


def test_values_become_places_in_the_table_s_order():
    mask = SemanticMap(np.array([[200, 0, 11], [5, 5, 0]], np.uint8), classes=TABLE)
    assert encode(mask)["classes"].tolist() == [[0, 1, 255], [2, 2, 1]]
    assert encode(mask)["classes"].dtype == np.uint8
    signed = encode(mask, ignore=-1)["classes"]
    assert signed.tolist() == [[0, 1, -1], [2, 2, 1]]
    assert heads(TABLE, 2)[0].layers == ("car", "sky", "road")


def test_an_unknown_value_is_named_with_its_place():
    mask = SemanticMap(np.array([[0, 5], [0, 7]]), classes=TABLE, source="b.png")
    with pytest.raises(InputError, match=r"b.png: value 7 at \(1, 1\) is in no class; the table has 0, 5, 11, 200"):
        encode(mask)


def test_a_class_cannot_be_the_ignored_value():
    with pytest.raises(RecipeError, match="0 is the place of class car"):
        encode(SemanticMap(np.zeros((2, 2), int), classes=TABLE), ignore=0)


def test_objects_give_their_class():
    objects = InstanceMap(np.array([[0, 4, 9]]), classes=ClassTable.numbered(3), object_class={4: 2})
    assert encode(objects)["classes"].tolist() == [[0, 2, 1]]


def test_many_classes_widen():
    mask = SemanticMap(np.arange(300, dtype=np.uint16)[None])
    assert encode(mask, ignore=-1)["classes"].tolist() == [list(range(300))]


def test_one_layer_is_a_foreground():
    found = classes(ScoreMap(np.array([[0.2, 0.5, 0.7]])), threshold=0.5)
    assert found.pixels.tolist() == [[0, 0, 1]]
    assert [entry.role for entry in found.classes] == ["background", "thing"]
    named = classes(ScoreMap(np.array([[[0.2], [0.7]]]), axes="yxc", layers=("car",)), values=(0, 255))
    assert named.pixels.tolist() == [[0, 255]]
    assert named.classes.name_of(255) == "car"


def test_equal_scores_go_to_the_first_and_counted_layers_have_no_names():
    found = classes(ScoreMap(np.full((1, 1, 3), 0.3), axes="yxc", layers=("0", "1", "2")))
    assert found.pixels.tolist() == [[0]]
    assert [entry.name for entry in found.classes] == ["background", "class 1", "class 2"]


def test_values_and_scores_are_checked():
    scores = ScoreMap(np.zeros((1, 1, 3)), axes="yxc")
    for values in ((0, 1), (0, 1, 1), (0, 1, -2)):
        with pytest.raises(RecipeError, match="expected 3 different numbers from 0"):
            classes(scores, values=values)
    with pytest.raises(InputError, match=r"1 of 3 values are NaN or infinite, the first at \(0, 0, 2\)"):
        classes(ScoreMap(np.array([[[0.0, 1.0, np.nan]]]), axes="yxc"))
