"""What an evaluation leaves on disk: ``scores.json`` and the tables as CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import microtome
from microtome.core.table import rows_to_csv
from microtome.io.whole import whole_file
from microtome.learn.evaluate.compare import Compared, changed_most, compare, main_key
from microtome.learn.evaluate.errors import FATES, Where
from microtome.learn.evaluate.intervals import intervals
from microtome.learn.evaluate.score import BAND, Evaluation, left_out
from microtome.learn.evaluate.tables import (
    class_rows,
    confusion_rows,
    fate_counts,
    group_rows,
    image_rows,
    object_table,
    size_rows,
)
from microtome.measure.metrics.definitions import definition, find

__all__ = ["TABLES", "summary", "write"]

TABLES = ("images.csv", "objects.csv", "classes.csv", "sizes.csv", "groups.csv", "confusion.csv")


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """All keys with their intervals and definitions, counts, notes and failures: what ``scores.json`` holds."""
    scores, groups = evaluation.scores, evaluation.groups
    found = intervals(scores, groups) if scores else {}
    lacking = left_out(scores)
    metrics = {
        key: {
            "value": one.mean, "low": one.low, "high": one.high, "left_out": lacking.get(key, 0), "better": find(key).better,
            "unit": _unit(key), "definition": definition(key),
        }
        for key, one in found.items()
    }  # fmt: skip
    told: dict[str, Any] = {
        "microtome": microtome.__version__,
        "task": evaluation.order.task,
        "images": len(evaluation.scored),
        "groups": len(set(groups)),
        "grouped": evaluation.pairs.grouped,
        "interval": "95 % percentile bootstrap over groups, 10,000 draws, seed 0",
        "metrics": metrics,
    }
    if counts := fate_counts(evaluation.scored):
        told |= {"objects": counts, "fates": FATES}
    if any(one.where for one in evaluation.scored):
        told["where_errors_lie"] = {"band_px": BAND, **sum((one.where for one in evaluation.scored if one.where), Where()).summary()}
    if evaluation.others:
        told["against"] = _compared(evaluation)
    return told | {"notes": list(evaluation.notes), "failures": evaluation.failures}


def _unit(key: str) -> str:
    unit = find(key).unit
    return key.rpartition("_")[2] if unit == "U" else unit


def _compared(evaluation: Evaluation) -> dict[str, Any]:
    scores, others = evaluation.scores, evaluation.others
    key = main_key(scores)
    changes = changed_most([one.name for one in evaluation.scored], scores, others, key)
    return {
        "metrics": {name: _plain_compared(one) for name, one in compare(scores, others, evaluation.groups).items()},
        "changed_most": {
            "key": key,
            "images": [{"image": change.name, "first": change.first, "second": change.second} for change in changes],
        },
    }


def _plain_compared(one: Compared) -> dict[str, Any]:
    return {"first": one.first, "second": one.second, "difference": one.difference.mean, "low": one.difference.low,
            "high": one.difference.high, "wins": one.wins, "ties": one.ties, "losses": one.losses}  # fmt: skip


def write(out: Path, evaluation: Evaluation, told: Mapping[str, Any], *, sizes: Sequence[float] | None = None) -> None:
    """Write ``scores.json`` and those tables there is something for; older ones of the same names are replaced or removed.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    objects = object_table(evaluation)
    texts = {
        "scores.json": json.dumps(finite(told), indent=1, ensure_ascii=False) + "\n",
        "images.csv": _csv(image_rows(evaluation), last="error"),
        "objects.csv": objects.to_csv() if len(objects) else "",
        "classes.csv": _csv(class_rows(evaluation)),
        "sizes.csv": _csv(size_rows(evaluation, sizes)),
        "groups.csv": _csv(group_rows(evaluation)),
        "confusion.csv": _csv(confusion_rows(evaluation)),
    }
    for name, text in texts.items():
        if text:
            with whole_file(out / name) as temporary:
                temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        else:
            (out / name).unlink(missing_ok=True)


def _csv(rows: Sequence[Mapping[str, Any]], *, last: str = "") -> str:
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name != last]
    return rows_to_csv([*names, *([last] if last else [])], rows) if rows else ""


def finite(data: Any) -> Any:
    """The same data, NaN and infinity as null: what JSON can say."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(name): finite(value) for name, value in data.items()}
    return [finite(value) for value in data] if isinstance(data, (list, tuple)) else data
