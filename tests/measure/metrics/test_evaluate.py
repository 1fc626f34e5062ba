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
from microtome.core.objects import Object, Objects
from microtome.core.raster import InstanceMap, ScoreMap, SemanticMap
from microtome.measure.metrics.confusion import confusion
from microtome.measure.metrics.definitions import choose, find
from microtome.measure.metrics.evaluate import DEFINITIONS, definition, evaluate, evaluate_set, pool, score
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
    assert "at IoU 0.75 or more" in definition("ap_75")
    assert "(coco_ap_75)" in definition("ap_75")
    assert "within 2.5um of the other" in definition("nsd_2.5um")


@pytest.mark.parametrize("task", ["semantic", "instance", "boxes"])
def test_a_definition_says_what_it_is_averaged_over_and_what_counts_where_nothing_is_there(task):
    for key in choose("all", task):
        text = definition(key)
        assert any(word in text for word in ("over the set", "of the set", "over images")), key
        if find(key).unit not in ("objects", "classes"):
            assert any(
                word in text
                for word in (
                    "absent",
                    "nan",
                    "without",
                    "both sides",
                    "left out",
                    "are one cluster",
                    "nothing is",
                    "one pixel",
                    "where no such",
                )
            ), key


@given(maps, maps)
@settings(max_examples=30)
def test_values_keep_to_their_range(pred, truth):
    for task in ("semantic", "instance", "boxes"):
        with collect_warnings():
            found = evaluate(pred, truth, task=task, metrics="all")
        for key, value in found.items():
            low, high = find(key).low, find(key).high
            assert math.isnan(value) or ((low is None or value >= low - 1e-12) and (high is None or value <= high + 1e-12)), key


def test_what_is_asked_for_is_given_and_nothing_else():
    truth = np.array([[1, 1, 0, 2, 2]])
    assert list(evaluate(truth, truth, task="instance", metrics="seg, ap_60,tp_60")) == ["ap_60", "tp_60", "seg"]
    assert evaluate(truth, truth, task="semantic", metrics=["iou_2", "iou_7"]) == pytest.approx(
        {"iou_2": 1.0, "iou_7": math.nan}, nan_ok=True
    )
    assert set(evaluate(truth, truth, task="semantic", metrics="precision_c")) == {"precision_0", "precision_1", "precision_2"}


def test_names_that_are_none_or_of_another_task_are_refused():
    for metrics, task, word in (
        ("ap50", "instance", "did you mean"),
        ("boundary", "instance", "not for task 'instance'; for it there are objects"),
        ("pq", "semantic", "for task 'semantic'"),
        ("ap_0", "instance", "from 1 to 100"),
        ("coco_ap_51", "instance", "50, 55"),
        ("default", "panoptic", "task 'panoptic'"),
    ):
        pred = InstanceMap(np.array([[1]]), object_score={1: 0.5})
        with pytest.raises(RecipeError, match=word):
            evaluate(pred, InstanceMap(np.array([[1]])), task=task, metrics=metrics)


def test_both_aps_stand_under_different_names():
    truth = InstanceMap(np.array([[1, 1, 0, 2, 2, 0]]))
    scored = InstanceMap(np.array([[1, 1, 0, 2, 2, 3]]), object_score={1: 0.9, 2: 0.8, 3: 0.1})
    found = evaluate(scored, truth, task="instance")
    assert found["ap_50"] == pytest.approx(2 / 3)
    assert found["coco_ap_50"] == pytest.approx(1)  # the wrong one is ranked last
    assert "coco_ap" not in evaluate(np.asarray(scored), truth, task="instance")
    with collect_warnings() as said:
        evaluate(np.asarray(scored), truth, task="instance", metrics="coco_ap")
    assert said == ["coco_ap: left out, it needs a score for every predicted object, and these have none"]


def test_ranking_goes_over_the_whole_set():
    """Two images whose wrong object is surer than the other's right one: no single image shows it."""
    truth = np.array([[1, 1, 0, 0]])
    right = InstanceMap(np.array([[1, 1, 0, 0]]), object_score={1: 0.3})
    wrong = InstanceMap(np.array([[0, 0, 0, 2]]), object_score={2: 0.9})
    found = evaluate_set([(right, truth), (wrong, np.zeros_like(truth))], task="instance", metrics="coco_ap_50,voc_ap_50")
    assert found == pytest.approx({"coco_ap_50": 0.5, "voc_ap_50": 0.5})


def test_pooled_panoptic_quality_is_no_mean_over_images():
    truth = np.array([[1, 1, 0, 2, 2, 0]])
    pairs = [(truth, truth), (np.array([[1, 1, 0, 0, 0, 0]]), np.array([[1, 1, 0, 0, 0, 0]])), (np.zeros_like(truth), truth)]
    assert evaluate_set(pairs, task="instance", metrics="pq")["pq"] == pytest.approx(3 / (3 + 2 / 2))


def test_seg_is_a_mean_over_objects_not_over_images():
    pairs = [
        (np.array([[1, 2, 3]]), np.array([[1, 2, 3]])),
        (np.array([[0, 0, 0]]), np.array([[1, 1, 1]])),
        (np.array([[5]]), np.array([[0]])),
    ]
    assert evaluate_set(pairs, task="instance", metrics="seg")["seg"] == pytest.approx(3 / 4)


def test_lengths_follow_the_spacing_and_its_unit():
    truth, pred = np.zeros((12, 12), np.uint8), np.zeros((12, 12), np.uint8)
    truth[2:8, 2:8] = pred[3:9, 4:10] = 1
    plain = evaluate(pred, truth, task="semantic", metrics="hd_px,nsd_1px")
    assert plain == pytest.approx({"hd_px": 5**0.5, "nsd_1px": 0.55})
    spaced = SemanticMap(truth, spacing=(2, 0.5), unit="um")
    found = evaluate(pred, spaced, task="semantic", metrics="hd_um,hd_nm,nsd_1um,nsd_2px")
    assert found == pytest.approx({"hd_um": 5**0.5, "hd_nm": 1000 * 5**0.5, "nsd_1um": 0.7, "nsd_2px": 0.7})
    assert evaluate(pred, truth, task="semantic", metrics="hd_um", spacing="2 um, 0.5 um") == {"hd_um": found["hd_um"]}
    with pytest.raises(InputError, match="--spacing"):
        evaluate(pred, truth, task="semantic", metrics="hd_um")


def test_a_class_on_one_side_only_is_counted_not_measured():
    found = evaluate(np.array([[0, 1, 1]]), np.array([[0, 2, 2]]), task="semantic", metrics="hd_px,boundary_f1,one_sided")
    assert math.isnan(found["hd_px"])
    assert (found["boundary_f1"], found["one_sided"]) == (0, 2)


def test_a_class_valued_0_that_is_no_background_counts():
    classes = ClassTable((ClassEntry(0, "sky", "stuff"), ClassEntry(1, "road", "stuff")))
    pred, truth = np.array([[0, 0, 0, 1]]), SemanticMap(np.array([[0, 0, 1, 1]]), classes=classes)
    assert evaluate(pred, truth, task="semantic", metrics="dice")["dice"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert evaluate(pred, np.asarray(truth), task="semantic", metrics="dice")["dice"] == pytest.approx(2 / 3)


def test_probabilities_are_foreground_from_a_half_up():
    scores = ScoreMap(np.array([[0.2, 0.5, 0.9]]))
    truth = np.array([[0, 1, 1]])
    assert evaluate(scores, truth, task="semantic", metrics="iou_1,brier") == pytest.approx({"iou_1": 1, "brier": (0.04 + 0.25 + 0.01) / 3})
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        evaluate(ScoreMap(np.array([[2.0, 0, 0]])), truth, task="semantic")
    with collect_warnings() as said:
        assert evaluate(truth, truth, task="semantic", metrics="pa,roc_auc") == {"pa": 1}
    assert "probability" in said[0]


def test_boxes_of_masks_and_of_annotations():
    truth = np.zeros((6, 8), np.int32)
    truth[0:4, 0:4] = 3
    corners = Objects((6, 8), (Object(1, given_box=(0, 0, 4, 2)), Object(2, given_box=(4, 4, 6, 8), crowd=True)))
    with collect_warnings() as said:
        assert evaluate(corners, truth, task="boxes", metrics="tp_50,fp_50,fn_50") == {"tp_50": 1, "fp_50": 0, "fn_50": 0}
    assert "1 crowds" in said[0]
    hollow = truth.copy()
    hollow[1:3, 1:3] = 0
    assert evaluate(hollow, truth, task="boxes", metrics="ap_95")["ap_95"] == 1  # the box around it is the same
    with pytest.raises(InputError, match="boxes are of objects"):
        evaluate(SemanticMap(truth.astype(np.uint8)), truth, task="boxes")


def test_sets_warn_of_images_left_out():
    pairs = [(np.array([[1]]), np.array([[0]])), (np.array([[1]]), np.array([[1]]))]
    with collect_warnings() as said:
        assert evaluate_set(pairs, task="instance", metrics="count_mape")["count_mape"] == 0
    assert said == ["count_mape: 1 of 2 images are left out of the mean, it does not exist for them"]
    assert pool([score(*pair, task="instance") for pair in pairs])["tp_50"] == 1


@pytest.mark.parametrize("box", [(0, 0, float("nan"), 4), (4, 0, 0, 4)])
def test_a_box_that_is_none_is_named(box):
    good, bad = (Objects((9, 9), (Object(7, given_box=one),), "a.png") for one in ((0, 0, 4, 4), box))
    with pytest.raises(InputError, match=r"a\.png: the box of object 7 is"):
        evaluate(bad, good, task="boxes")
