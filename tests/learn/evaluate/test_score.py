"""Pairs are found by name, scored in workers or here with the same numbers, and what fails is named."""

import json

import numpy as np
import pytest

from microtome.core.errors import InputError, RecipeError
from microtome.core.events import collect_warnings
from microtome.core.raster import ScoreMap
from microtome.learn.evaluate.outputs import summary, write
from microtome.learn.evaluate.pairs import find_pairs, load_labels
from microtome.learn.evaluate.score import evaluate_pairs
from microtome.learn.evaluate.tables import class_rows, confusion_rows, group_rows, image_rows, size_rows
from microtome.measure.metrics.evaluate import evaluate_set

TRUTH = {"p1/a": [[1, 1, 0, 2, 2, 2]], "p1/b": [[1, 1, 1, 0, 0, 3]], "p2/c": [[0, 0, 0, 0, 4, 4]]}
PRED = {"p1/a": [[1, 1, 0, 0, 2, 2]], "p1/b": [[5, 5, 5, 5, 5, 5]], "p2/c": [[0, 6, 0, 0, 4, 4]]}


@pytest.fixture
def folders(tmp_path, masks_to):
    return masks_to(tmp_path / "pred", PRED), masks_to(tmp_path / "truth", TRUTH)


def read_csv(path):
    import csv

    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_workers_give_the_same_numbers_as_one(folders):
    pairs = find_pairs(*folders, task="instance")
    alone, together = (evaluate_pairs(pairs, task="instance", metrics="all", workers=workers) for workers in (1, 2))
    assert json.dumps(summary(alone)) == json.dumps(summary(together))
    pixels = [(np.array(PRED[name]), np.array(TRUTH[name])) for name in sorted(TRUTH)]
    whole = evaluate_set(pixels, task="instance")
    assert {key: alone.values()[key] for key in whole} == whole


def test_what_cannot_be_scored_is_named_and_the_rest_is_scored(folders, masks_to, tmp_path):
    pred, truth = folders
    masks_to(truth, {"p2/d": [[1, 0]], "p2/e": [[1, 0]]})
    masks_to(pred, {"p2/d": [[1, 0, 0]], "z": [[1]], "y": [[1]]})
    (pred / "p1" / "b.png").write_bytes(b"no mask at all")
    pairs = find_pairs(pred, truth, task="instance")
    found = evaluate_pairs(pairs, task="instance")
    assert [one.name for one in found.scored] == ["p1/a", "p2/c"]
    assert set(found.failures) == {"p1/b", "p2/d", "p2/e"}
    assert "no prediction for e.png" in found.failures["p2/e"]
    assert "(1, 3)" in found.failures["p2/d"]
    assert "2 predictions have no truth and are left out, the first is y" in found.notes
    rows = {row["image"]: row for row in image_rows(found)}
    assert rows["p2/e"]["status"] == "failed"
    assert rows["p2/e"]["error"]
    assert rows["p1/a"]["status"] == "scored"


def test_images_a_number_does_not_exist_for_are_counted(tmp_path, masks_to):
    truth = masks_to(tmp_path / "t", {"a": [[1, 0]], "b": [[0, 0]]})
    pred = masks_to(tmp_path / "p", {"a": [[1, 2]], "b": [[0, 1]]})
    found = evaluate_pairs(find_pairs(pred, truth, task="instance"), task="instance", metrics="count_mape")
    assert found.values()["count_mape"] == 1
    assert any("left out of the mean: 1 of 2 images" in note for note in found.notes)
    assert summary(found)["metrics"]["count_mape"]["left_out"] == 1


def test_groups_come_from_folders_names_and_tables(folders, tmp_path):
    (tmp_path / "groups.csv").write_text("image,group\np1/a,x\np1/b,y\np2/c,y\n")
    with collect_warnings():
        for rule, expected in (
            ("folder", ["p1", "p1", "p2"]),
            (r"(p\d)/", ["p1", "p1", "p2"]),
            (str(tmp_path / "groups.csv"), ["x", "y", "y"]),
        ):
            pairs = find_pairs(*folders, task="instance", group=rule)
            assert [pair.group for pair in pairs.pairs] == expected
            assert pairs.grouped
        found = evaluate_pairs(pairs, task="instance")
    rows = group_rows(found)
    assert [(row["group"], row["images"]) for row in rows] == [("x", 1), ("y", 2)]
    assert rows[1]["tp_50"] == 2
    assert not find_pairs(*folders, task="instance").grouped


def test_a_flat_folder_is_matched_with_a_nested_one_by_the_last_part(tmp_path, masks_to):
    truth = masks_to(tmp_path / "t", {"x/a": [[1, 0]], "y/b": [[1, 0]]})
    pred = masks_to(tmp_path / "p", {"a": [[1, 0]], "b": [[0, 1]]})
    found = evaluate_pairs(find_pairs(pred, truth, task="instance"), task="instance")
    assert found.values()["tp_50"] == 1
    assert not found.failures


def test_a_data_set_as_truth_brings_pictures_and_splits(tmp_path, masks_to):
    for split in ("train", "val"):
        masks_to(tmp_path / "data" / split / "labels", {f"{split}1": [[1, 1, 0]]})
        masks_to(tmp_path / "data" / split / "images", {f"{split}1": [[9, 9, 0]]}, semantic=True)
    pred = masks_to(tmp_path / "p", {"val1": [[1, 1, 0]], "train1": [[0, 0, 0]]})
    pairs = find_pairs(pred, tmp_path / "data", task="instance", split="val")
    assert [pair.image[0].name for pair in pairs.pairs] == ["val1.png"]
    assert evaluate_pairs(pairs, task="instance").values()["ap_50"] == 1
    with pytest.raises(RecipeError, match="not a data set"):
        find_pairs(pred, tmp_path / "data" / "val" / "labels", task="instance", split="val")


def test_paths_that_cannot_be_paired_are_refused(tmp_path, masks_to):
    truth = masks_to(tmp_path / "t", {"a": [[1, 0]]})
    with pytest.raises(InputError, match="does not exist"):
        find_pairs(tmp_path / "none", truth, task="instance")
    with pytest.raises(InputError, match="two folders or two files"):
        find_pairs(truth, truth / "a.png", task="instance")
    with pytest.raises(InputError, match="two folders or two files"):
        find_pairs(truth / "a.png", truth, task="instance")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no masks"):
        find_pairs(truth, tmp_path / "empty", task="instance")
    np.save(truth / "a.npy", np.array([[1, 0]]))
    with pytest.raises(InputError, match="same name"):
        find_pairs(truth, truth, task="instance")


def test_a_file_of_fractions_is_the_probability_of_the_foreground(tmp_path, masks_to):
    truth = masks_to(tmp_path / "t", {"a": [[0, 0, 1, 1, 1, 0]]}, semantic=True)
    (tmp_path / "p").mkdir()
    np.save(tmp_path / "p" / "a.npy", np.array([[0.1, 0.4, 0.35, 0.8, 0.4, 0.2]], np.float32))
    pairs = find_pairs(tmp_path / "p", truth, task="semantic")
    assert isinstance(load_labels(pairs.pairs[0].pred, "semantic"), ScoreMap)
    found = evaluate_pairs(pairs, task="semantic", metrics="default,scores")
    assert found.values()["roc_auc"] == pytest.approx(0.833333333)
    assert found.values()["ap_pixel"] == pytest.approx(0.805555556)
    assert found.values()["iou_1"] == pytest.approx(1 / 3)


def test_tables_hold_every_object_and_agree_with_each_other(folders, tmp_path):
    found = evaluate_pairs(find_pairs(*folders, task="instance", group="folder"), task="instance")
    out = tmp_path / "out"
    write(out, found, summary(found))
    objects = read_csv(out / "objects.csv")
    told = json.loads((out / "scores.json").read_text())
    assert len(objects) == 5 + 5
    assert sum(row["side"] == "truth" and row["fate"] == "missed" for row in objects) == told["objects"]["missed"]
    assert told["metrics"]["tp_50"]["value"] == sum(float(row["tp_50"]) for row in read_csv(out / "images.csv"))
    assert sum(int(row["true"]) for row in read_csv(out / "sizes.csv")) == 5
    assert [row["group"] for row in read_csv(out / "groups.csv")] == ["p1", "p2"]
    assert told["metrics"]["ap_50"]["definition"].startswith("Average precision of objects: TP/(TP+FP+FN) at IoU 0.5")
    assert not (out / "confusion.csv").exists()
    one_size = size_rows(found, [])
    assert one_size[0]["true"] == 5


def test_classes_have_a_confusion_and_places_of_errors(tmp_path, masks_to):
    truth = masks_to(tmp_path / "t", {"a": [[0, 0, 1, 1], [0, 2, 2, 255]]}, semantic=True)
    pred = masks_to(tmp_path / "p", {"a": [[0, 0, 1, 2], [0, 2, 2, 1]]}, semantic=True)
    found = evaluate_pairs(find_pairs(pred, truth, task="semantic"), task="semantic", ignore=255)
    assert [list(row.values())[1:] for row in confusion_rows(found)] == [[3, 0, 0], [0, 1, 1], [0, 0, 2]]
    assert [row["true_px"] for row in class_rows(found)] == [3, 2, 2]
    assert summary(found)["where_errors_lie"]["band_share_of_errors"] == 1


def test_objects_of_known_classes_have_a_confusion(tmp_path, masks_to):
    from microtome.core.classes import ClassEntry, ClassTable
    from microtome.core.raster import InstanceMap
    from microtome.io.masks import write_mask

    classes = ClassTable((ClassEntry(0, "ground", "background"), ClassEntry(1, "rbc"), ClassEntry(2, "wbc")))
    for folder, pixels, of in (("t", [[1, 1, 0, 2, 2, 0, 3]], {1: 1, 2: 2, 3: 1}), ("p", [[1, 1, 0, 2, 2, 4, 0]], {1: 1, 2: 1, 4: 2})):
        (tmp_path / folder).mkdir()
        write_mask(InstanceMap(np.array(pixels), object_class=of, classes=classes), tmp_path / folder / "a")
    found = evaluate_pairs(find_pairs(tmp_path / "p", tmp_path / "t", task="instance"), task="instance", metrics="default,pq")
    rows = {row["truth"]: row for row in confusion_rows(found)}
    assert rows["rbc"] == {"truth": "rbc", "rbc": 1, "wbc": 0, "no partner": 1}
    assert rows["wbc"] == {"truth": "wbc", "rbc": 1, "wbc": 0, "no partner": 0}
    assert rows["no partner"] == {"truth": "no partner", "rbc": 0, "wbc": 1, "no partner": 0}
    # by class: rbc has a pair (IoU 1), a false positive (the wbc taken for one) and a miss; wbc has a false positive and a miss
    assert found.values()["pq"] == pytest.approx((1 / 2 + 0) / 2)


def test_two_results_are_compared_image_by_image(folders, tmp_path, masks_to):
    pred, truth = folders
    other = masks_to(tmp_path / "other", {name: np.zeros_like(pixels) for name, pixels in TRUTH.items()})
    found = evaluate_pairs(find_pairs(pred, truth, task="instance", against=other), task="instance")
    told = summary(found)["against"]
    assert told["metrics"]["ap_50"]["second"] == 0
    assert told["metrics"]["ap_50"]["difference"] == pytest.approx(found.values()["ap_50"])
    assert told["metrics"]["ap_50"]["wins"] == 3
    assert told["changed_most"]["key"] == "ap_50"


COCO = {
    "images": [{"id": 7, "file_name": "a.png", "width": 20, "height": 10}, {"id": 9, "file_name": "b.png", "width": 20, "height": 10}],
    "categories": [{"id": 1, "name": "rbc"}, {"id": 2, "name": "wbc"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [0, 0, 4, 4], "area": 16, "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 2, "bbox": [10, 2, 5, 5], "area": 25, "iscrowd": 0},
        {"id": 3, "image_id": 9, "category_id": 1, "bbox": [3, 3, 4, 4], "area": 16, "iscrowd": 0},
    ],
}
RESULTS = [
    {"image_id": 7, "category_id": 1, "bbox": [0, 0, 4, 3], "score": 0.9},
    {"image_id": 7, "category_id": 1, "bbox": [10, 2, 5, 5], "score": 0.8},
    {"image_id": 9, "category_id": 1, "bbox": [15, 3, 4, 4], "score": 0.3},
]


@pytest.mark.parametrize("bare", [True, False])
def test_boxes_with_scores_come_from_coco_whole_or_as_a_list_of_results(tmp_path, masks_to, bare):
    masks_to(tmp_path, {"a": np.ones((10, 20)), "b": np.ones((10, 20))}, semantic=True)
    (tmp_path / "truth.json").write_text(json.dumps(COCO))
    (tmp_path / "out").mkdir()
    pred = tmp_path / "out" / "pred.json"
    whole = {**COCO, "annotations": [{"id": k, "iscrowd": 0, **one} for k, one in enumerate(RESULTS, 1)]}
    pred.write_text(json.dumps(RESULTS if bare else whole))
    with collect_warnings():
        found = evaluate_pairs(find_pairs(pred, tmp_path / "truth.json", task="boxes"), task="boxes", metrics="default,count_error")
    values = found.values()
    assert not found.failures
    assert (values["tp_50"], values["fp_50"], values["fn_50"]) == (2, 1, 1)
    assert values["ap_50"] == pytest.approx((1 + 0) / 2)
    # by class: of two rbc one is found by the surest of three; no wbc is
    assert values["coco_ap_50"] == pytest.approx((51 / 101 + 0) / 2)
    assert confusion_rows(found)[1] == {"truth": "wbc", "rbc": 1, "wbc": 0, "no partner": 0}
