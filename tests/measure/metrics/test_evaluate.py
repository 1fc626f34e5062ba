"""One dict of numbers a task, each with a definition; what cannot be compared is named."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.measure.metrics.confusion import confusion
from microtome.measure.metrics.evaluate import DEFINITIONS, definition, evaluate, evaluate_set
from microtome.measure.metrics.overlap import dice, iou, pa

maps = arrays(np.uint8, (2, 7), elements=st.integers(0, 3))
VOID = ClassTable((ClassEntry(0, "background", "background"), ClassEntry(1, "cell"), ClassEntry(255, "void", "ignore")))


@given(maps, maps)
@settings(max_examples=50)
def test_every_key_is_defined_and_between_0_and_1(pred, truth):
    for task in ("semantic", "instance"):
        for key, value in evaluate(pred, truth, task=task).items():
            assert definition(key).endswith(".")
            assert 0 <= value <= (1 if key[:2] not in ("tp", "fp", "fn") else 14)


@given(maps)
@settings(max_examples=30)
def test_the_truth_itself_is_perfect(truth):
    for task in ("semantic", "instance"):
        keys = evaluate(truth, truth, task=task)
        assert {value for key, value in keys.items() if key[:2] not in ("tp", "fp", "fn")} == {1.0}


@given(maps, maps)
@settings(max_examples=50)
def test_dice_and_iou_say_the_same(pred, truth):
    found = confusion(pred, truth)
    for value, j in iou(found).items():
        assert dice(found)[value] == pytest.approx(2 * j / (1 + j))
    assert pa(found) == (pred == truth).mean()


@given(maps, maps)
@settings(max_examples=30)
def test_a_set_pools_what_it_says_it_pools(pred, truth):
    whole = evaluate(pred, truth, task="semantic")
    rows = evaluate_set([(pred[:1], truth[:1]), (pred[1:], truth[1:])], task="semantic")
    for key in whole:
        if key != "miou_image":
            assert rows[key] == pytest.approx(whole[key])
    each = [evaluate(pred[k : k + 1], truth[k : k + 1], task="semantic")["miou_image"] for k in (0, 1)]
    assert rows["miou_image"] == pytest.approx(sum(each) / 2)


def test_ignored_truth_is_left_out_and_ignored_prediction_is_wrong():
    truth = SemanticMap(np.array([[0, 1, 1, 255]], np.uint8), classes=VOID)
    pred = SemanticMap(np.array([[0, 1, 255, 1]], np.uint8), classes=VOID)
    keys = evaluate(pred, truth, task="semantic")
    assert keys["pa"] == pytest.approx(2 / 3)
    assert keys["iou_1"] == 0.5
    assert "iou_255" not in keys
    assert evaluate(np.asarray(pred), np.asarray(truth), task="semantic", ignore=255) == keys


def test_no_valid_pixel_is_nan_for_accuracy():
    empty = SemanticMap(np.full((1, 2), 255, np.uint8), classes=VOID)
    keys = evaluate(empty, empty, task="semantic")
    assert math.isnan(keys["pa"])
    assert math.isnan(keys["mean_acc"])
    assert keys["miou_set"] == keys["miou_image"] == keys["dice"] == 1


def test_dice_is_over_the_classes_that_are_no_background():
    truth = np.array([[0, 0, 0, 1, 2, 2]])
    assert evaluate(np.array([[0, 0, 0, 1, 1, 2]]), truth, task="semantic")["dice"] == pytest.approx(2 / 3)


def test_a_mask_saved_as_a_picture_is_compared_and_told():
    picture = SemanticMap(np.array([[0, 255, 255, 0]], np.uint8))
    with collect_warnings() as warnings:
        keys = evaluate(np.array([[0, 1, 0, 0]]), picture, task="semantic")
    assert keys["iou_1"] == 0.5
    assert "saved as a picture" in warnings[0]
    assert evaluate(np.array([[0, 1, 0, 0]]), picture, task="semantic", ignore=255)["pa"] == 1


def test_objects_count_as_foreground_for_classes_but_classes_are_no_objects():
    objects = InstanceMap(np.array([[0, 7, 9]]))
    with collect_warnings() as warnings:
        assert evaluate(objects, SemanticMap(np.array([[0, 1, 1]])), task="semantic")["miou_set"] == 1
    assert "holds objects" in warnings[0]
    with pytest.raises(InputError, match="number its objects first"):
        evaluate(objects, SemanticMap(np.array([[0, 1, 1]]), source="t.png"), task="instance")


def test_what_cannot_be_compared_is_named():
    a, b = np.zeros((2, 3), int), np.zeros((3, 3), int)
    for task in ("semantic", "instance"):
        with pytest.raises(InputError, match=r"shape \(2, 3\) and the truth \(3, 3\)"):
            evaluate(a, b, task=task)
        with pytest.raises(InputError, match="no pair"):
            evaluate_set([], task=task)
        with pytest.raises(InputError, match="two axes"):
            evaluate(a[0], a[0], task=task)
    with pytest.raises(RecipeError, match="did you mean instance"):
        evaluate(a, a, task="instances")
    with pytest.raises(RecipeError, match="no meaning for instances"):
        evaluate(a, a, task="instance", ignore=255)
    with pytest.raises(RecipeError, match="did you mean"):
        definition("ap50")


def test_definitions_are_sentences():
    assert all(text[0].isupper() and text.endswith(".") for text in DEFINITIONS.values())
    assert definition("iou_12").startswith("Class 12: TP/(TP+FP+FN)")
