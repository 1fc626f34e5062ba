"""The rows of the tables: by image, class, size and group, and the confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from microtome.core.table import Table
from microtome.learn.evaluate.errors import class_counts, quartiles, size_counts
from microtome.learn.evaluate.score import Evaluation, Scored
from microtome.measure.metrics.confusion import Confusion
from microtome.measure.metrics.evaluate import pool
from microtome.measure.metrics.overlap import dice, iou, precision, recall

__all__ = ["class_rows", "confusion_of", "confusion_rows", "fate_counts", "group_rows", "image_rows", "object_table", "size_rows"]

Rows = list[dict[str, Any]]


def image_rows(evaluation: Evaluation) -> Rows:
    """A row an image, failed ones too: its own values of every key, and its objects by fate or its errors by place."""
    scored = {one.name: one for one in evaluation.scored}
    rows = []
    for pair in evaluation.pairs.pairs:
        one = scored.get(pair.name)
        row: dict[str, Any] = {"image": pair.name, "group": pair.group, "status": "scored" if one else "failed"}
        if one is not None and one.score is not None:
            row |= one.score.values | fate_counts([one]) | (one.where.summary() if one.where else {})
            row |= {f"against_{key}": value for key, value in (one.against.values if one.against else {}).items()}
        rows.append(row | {"error": evaluation.failures.get(pair.name, "")})
    return rows


def fate_counts(scored: Sequence[Scored]) -> dict[str, int]:
    """Objects of some images by fate: those of the truth and, ``added``, those of the prediction alone; empty without objects to follow."""
    each = [one.fates for one in scored if one.fates is not None]
    if not each:
        return {}
    counts = {"objects_true": 0, "objects_predicted": 0}
    counts |= dict.fromkeys(("matched", "missed", "merged", "split", "added", "merges", "splits"), 0)
    for one in each:
        side = one.objects["side"]
        counts["objects_true"] += int(np.count_nonzero(side == "truth"))
        counts["objects_predicted"] += int(np.count_nonzero(side == "pred"))
        for fate in ("matched", "missed", "merged", "split"):
            counts[fate] += one.count("truth", fate)
        counts["added"] += one.count("pred", "added")
        counts["merges"] += one.merges
        counts["splits"] += one.splits
    return counts


def object_table(evaluation: Evaluation) -> Table:
    """A row an object of either side, with its image, group and fate."""
    return Table.concat(one.fates.objects.with_front(image=one.name, group=one.group) for one in evaluation.scored if one.fates is not None)


def class_rows(evaluation: Evaluation) -> Rows:
    """A row a class. For classes: pixels of both sides, IoU, Dice, precision, recall; for objects: counts by fate."""
    whole = confusion_of(evaluation)
    if whole is None:
        objects = object_table(evaluation)
        return class_counts(objects) if len(objects) and set(objects["class"].tolist()) != {""} else []
    measures = {"iou": iou(whole), "dice": dice(whole), "precision": precision(whole), "recall": recall(whole)}
    background = {value for one in evaluation.scores for value in one.background}
    return [
        {
            "class": value,
            "name": evaluation.classes.name_of(value),
            "background": value in background,
            "true_px": int(true),
            "predicted_px": int(predicted),
            **{name: by_class.get(value, float("nan")) for name, by_class in measures.items()},
        }
        for value, true, predicted in zip(whole.classes, whole.truth_pixels, whole.pred_pixels, strict=True)
    ]


def size_rows(evaluation: Evaluation, edges: Sequence[float] | None = None) -> Rows:
    """A row a size of objects; by default parted at the quartiles of the true objects' areas."""
    objects = object_table(evaluation)
    if not len(objects):
        return []
    if edges is None:
        edges = quartiles(objects["area_px"][objects["side"] == "truth"])
    return size_counts(objects, edges)


def group_rows(evaluation: Evaluation) -> Rows:
    """A row a group, images without one by themselves left out: images, the values of every key over them, objects by fate."""
    members: dict[str, list[Scored]] = {}
    for one in evaluation.scored:
        if one.group:
            members.setdefault(one.group, []).append(one)
    return [
        {"group": group, "images": len(scored), **pool([one.score for one in scored if one.score is not None]), **fate_counts(scored)}
        for group, scored in sorted(members.items())
    ]


def confusion_of(evaluation: Evaluation) -> Confusion | None:
    """The confusion of the whole set; None where objects were compared."""
    each = [one.confusion for one in evaluation.scores if one.confusion is not None]
    return reduce(add, each) if each else None


def confusion_rows(evaluation: Evaluation) -> Rows:
    """A row a true class, a column a predicted class: pixels, or objects where objects of known classes were matched."""
    whole = confusion_of(evaluation)
    if whole is None:
        return _object_confusion(object_table(evaluation))
    names = [evaluation.classes.name_of(value) for value in whole.classes]
    rows = []
    for name, counts, unanswered in zip(names, whole.counts.tolist(), whole.unanswered.tolist(), strict=True):
        rows.append(
            {"truth": name, **dict(zip(names, counts, strict=True)), **({"unanswered": unanswered} if whole.unanswered.any() else {})}
        )
    return rows


def _object_confusion(objects: Table) -> Rows:
    """Matched objects by both classes, with those missed and added."""
    if not len(objects) or set(objects["class"].tolist()) == {""}:
        return []
    names = sorted(set(objects["class"].tolist()))
    of_pred = {
        (image, label): name
        for image, side, label, name in zip(objects["image"], objects["side"], objects["label"].tolist(), objects["class"], strict=True)
        if side == "pred"
    }
    counts = {true: dict.fromkeys((*names, "no partner"), 0) for true in (*names, "no partner")}
    columns = (objects[name].tolist() for name in ("image", "side", "class", "fate", "partner"))
    for image, side, name, fate, partner in zip(*columns, strict=True):
        if fate == "matched" and side == "truth":
            counts[name][of_pred[image, partner]] += 1
        elif fate != "matched":
            counts[name if side == "truth" else "no partner"]["no partner" if side == "truth" else name] += 1
    return [{"truth": true or "(no class)", **{name or "(no class)": count for name, count in row.items()}} for true, row in counts.items()]
