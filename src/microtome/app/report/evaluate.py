"""The page of an evaluation: the numbers with their intervals, the worst images first, and what went wrong in each."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

import microtome
from microtome.app.report.build import LARGEST_PAGE, in_order
from microtome.app.report.one_image import json_text
from microtome.app.report.outcome import COLOURS, class_colours, outcome_block
from microtome.app.report.pictures import Scale
from microtome.io.whole import whole_file
from microtome.learn.evaluate.compare import main_key
from microtome.learn.evaluate.errors import FATES
from microtome.learn.evaluate.score import Evaluation, Scored
from microtome.learn.evaluate.tables import class_rows, confusion_rows, fate_counts, group_rows, size_rows
from microtome.measure.metrics.definitions import definition, find
from microtome.measure.metrics.evaluate import lacking

__all__ = ["MOST_IMAGES", "build_page"]

MOST_IMAGES = 500
_TABLE_DIGITS = 3


def build_page(
    out: Path,
    evaluation: Evaluation,
    told: Mapping[str, Any],
    *,
    sizes: Sequence[float] | None = None,
    names: Mapping[str, str] | None = None,
) -> Path:
    """Write ``OUT/evaluate.html``: one file that needs no other.

    Parameters
    ----------
    out : Path
    evaluation : Evaluation
    told : mapping
        What ``scores.json`` holds (`microtome.learn.evaluate.outputs.summary`).
    sizes : sequence of float, optional
        Areas that part the table of sizes.
    names : mapping of str to str, optional
        What was compared, for people: ``pred``, ``truth``, ``against``.

    Returns
    -------
    Path
        The page. It appears whole or not at all.

    Raises
    ------
    RunError
        If the disk refuses.

    Notes
    -----
    It shows the `MOST_IMAGES` worst images; the tables beside it hold all. Pictures are read again, and get smaller the more there are.
    """
    worst = _worst_first(evaluation)[:MOST_IMAGES]
    things = _things(evaluation)
    scale = Scale.for_images(len(worst), total=LARGEST_PAGE)
    pairs = {pair.name: pair for pair in evaluation.pairs.pairs}
    draw = partial(outcome_block, evaluation.order, things, scale)
    blocks = in_order(draw, ((pairs[one.name], one) for one in worst))
    path = out / "evaluate.html"
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_page(_facts(evaluation, told, sizes, names or {}, things), _data(evaluation, worst), blocks))
    return path


def _worst_first(evaluation: Evaluation) -> list[Scored]:
    """The scored images in the order of the main key, the worst first."""
    if not evaluation.scored:
        return []
    key = main_key(evaluation.scores)
    turn = 1.0 if find(key).better == "higher" else -1.0

    def rank(one: Scored) -> tuple[float, str]:
        value = one.score.values.get(key, np.nan) if one.score else np.nan
        return (turn * value if np.isfinite(value) else np.inf, one.name)

    return sorted(evaluation.scored, key=rank)


def _things(evaluation: Evaluation) -> list[int]:
    """The class values that are neither background nor ignored."""
    scores = evaluation.scores
    outside = {*evaluation.classes.values("ignore"), evaluation.order.ignore, *(value for one in scores for value in one.background)}
    return sorted({value for one in scores if one.confusion is not None for value in one.confusion.classes} - outside)


def _page(facts: Mapping[str, Any], data: Mapping[str, Any], blocks: Iterable[str]) -> Iterator[str]:
    style, script = _joined("page.css", "evaluate.css"), '"use strict";\n' + _joined("evaluate.js")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": _number, "heat": _heat}
    return environment.from_string(_joined("evaluate.html.jinja")).generate(
        facts=facts,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(json_text(data)),
        blocks=map(Markup, blocks),
    )


def _joined(*names: str) -> str:
    folder = resources.files("microtome.app.report") / "page"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _data(evaluation: Evaluation, worst: Sequence[Scored]) -> dict[str, Any]:
    """What the page's script needs: each image's values, in the order of the blocks."""
    scores = evaluation.scores
    keys = list(dict.fromkeys(key for one in scores for key in one.values if find(key).family != "ranked"))
    task = evaluation.order.task
    layers = ["matched", "missed", "added", "merged", "split", "truth"] if task == "instance" else ["matched", "missed", "added"]
    return {
        "task": task,
        "main": main_key(scores) if scores else "",
        "over": ["ignored", "truth", "prediction", "matched", "added", "wrong", "split", "merged", "missed"],
        "keys": [{"key": key, "better": find(key).better} for key in keys],
        "colours": COLOURS,
        "layers": layers if task != "semantic" else ["matched", "missed", "added", "wrong", "ignored", "truth", "prediction"],
        "compared": bool(evaluation.others),
        "images": [
            {
                "name": one.name,
                "group": one.group,
                "values": {key: one.score.values.get(key) for key in keys} if one.score else {},
                "against": {key: one.against.values.get(key) for key in keys} if one.against else None,
                "counts": fate_counts([one]),
                "notes": list(one.warnings),
            }
            for one in worst
        ],
    }


def _facts(
    evaluation: Evaluation, told: Mapping[str, Any], sizes: Sequence[float] | None, names: Mapping[str, str], things: Sequence[int]
) -> dict[str, Any]:
    metrics = [{"key": key, **one, "peers": find(key).peers, **_track(key, one)} for key, one in told["metrics"].items()]
    compared = told.get("against", {}).get("metrics", {})
    counts = told.get("objects", {})
    return {
        "title": Path(names.get("pred", "")).name or "Evaluation",
        "names": {"pred": "", "truth": "", "against": "", **names},
        "task": evaluation.order.task,
        "told": told,
        "metrics": [one for one in metrics if not _of_class(one["key"])],
        "absent": _absent(evaluation, told),
        "by_class": [one for one in metrics if _of_class(one["key"])],
        "compared": {key: {**one, **_span(one)} for key, one in compared.items() if not _of_class(key)},
        "changed": told.get("against", {}).get("changed_most"),
        "counts": counts,
        "bars": _bars(counts, boxes=evaluation.order.task == "boxes"),
        "fates": {
            fate: about for fate, about in FATES.items() if evaluation.order.task == "instance" or fate in ("matched", "missed", "added")
        },
        "where": told.get("where_errors_lie"),
        "classes": class_rows(evaluation),
        "sizes": size_rows(evaluation, sizes),
        "groups": _groups(evaluation),
        "confusion": _confusion(evaluation),
        "legend": _legend(evaluation, things),
        "shown": min(len(evaluation.scored), MOST_IMAGES),
        "microtome": microtome.__version__,
    }


def _absent(evaluation: Evaluation, told: Mapping[str, Any]) -> list[dict[str, str]]:
    """Keys that were asked for and are not there, with the reason; ranked ones stand beside those that need no scores."""
    absent = lacking(evaluation.order.metrics, told["metrics"])
    return [{"key": key, "definition": definition(key), "peers": find(key).peers, "why": why} for key, why in absent.items()]


def _of_class(key: str) -> bool:
    return find(key).key.endswith("_c")


def _track(key: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Where value and interval lie on a track from 0 to 100; nothing for numbers without both bounds."""
    metric = find(key)
    if metric.low is None or metric.high is None or one["value"] is None or not np.isfinite(one["value"]):
        return {"at": None}
    low = max(metric.low, 0.0)

    def place(value: float) -> float:
        return min(max(100 * (value - low) / (metric.high - low), 0.0), 100.0) if metric.high is not None else 0.0

    ends = {"from": place(one["low"]), "to": place(one["high"])} if one["low"] is not None else {"from": None, "to": None}
    return {"at": place(one["value"]), **ends}


def _span(one: Mapping[str, Any]) -> dict[str, Any]:
    """The difference and its interval on a track whose middle, 50, is 0."""
    bounds = [abs(value) for value in (one["difference"], one["low"], one["high"]) if value is not None and np.isfinite(value)]
    most = max(bounds, default=0.0) or 1.0

    def place(value: float | None) -> float | None:
        return None if value is None or not np.isfinite(value) else 50 + 48 * value / most

    sure = one["low"] is not None and (one["low"] > 0 or one["high"] < 0)
    return {"at": place(one["difference"]), "from": place(one["low"]), "to": place(one["high"]), "sure": sure}


def _bars(counts: Mapping[str, int], *, boxes: bool) -> list[dict[str, Any]]:
    """Two bars: the objects of the truth by fate, and those of the prediction."""
    if not counts:
        return []
    true = {fate: counts[fate] for fate in ("matched", "missed", "merged", "split") if not (boxes and fate in ("merged", "split"))}
    other = counts["objects_predicted"] - counts["matched"] - counts["added"]
    predicted = {"matched": counts["matched"], "added": counts["added"], "merging or splitting": other}
    return [_bar("true objects", counts["objects_true"], true), _bar("predicted objects", counts["objects_predicted"], predicted)]


def _bar(title: str, whole: int, parts: Mapping[str, int]) -> dict[str, Any]:
    pieces, start = [], 0.0
    for fate, count in parts.items():
        width = 100 * count / whole if whole else 0.0
        if count:
            pieces.append(
                {"fate": fate, "kind": "merged" if fate.startswith("merging") else fate, "count": count, "x": start, "width": width}
            )
        start += width
    return {"title": title, "whole": whole, "pieces": pieces}


def _groups(evaluation: Evaluation) -> dict[str, Any]:
    """The table of groups with a handful of keys."""
    rows = group_rows(evaluation)
    wanted = ("ap_50", "ap_75", "f1_50", "pq", "miou_set", "dice", "pa", "matched", "missed", "merged", "split", "added")
    return {"rows": rows, "keys": [key for key in wanted if rows and all(key in row for row in rows)]}


def _confusion(evaluation: Evaluation) -> dict[str, Any] | None:
    rows = confusion_rows(evaluation)
    if not rows:
        return None
    columns = [name for name in rows[0] if name != "truth"]
    cells = []
    for row in rows:
        whole = sum(row[name] for name in columns)
        cells.append([{"count": row[name], "share": row[name] / whole if whole else None} for name in columns])
    what = "pixels" if evaluation.order.task == "semantic" else "objects"
    return {"columns": columns, "rows": [row["truth"] for row in rows], "cells": cells, "what": what}


def _legend(evaluation: Evaluation, things: Sequence[int]) -> list[dict[str, str]]:
    """The colours of the classes, in the order the pictures use."""
    names = [evaluation.classes.name_of(value) for value in things]
    return [{"name": name, "colour": colour} for name, colour in zip(names, class_colours(len(names)), strict=True)]


def _number(value: Any) -> str:
    """A number as the tables show it; a dash where there is none.

    >>> _number(0.81234), _number(1234567), _number(float("nan")), _number(3.0)
    ('0.812', '1,234,567', '–', '3.000')
    """
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "–"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else f"{value:,.{_TABLE_DIGITS}f}"


def _heat(share: float | None) -> int:
    """0 to 10: how strongly a cell of the confusion is coloured."""
    return 0 if share is None else int(np.ceil(10 * min(max(share, 0.0), 1.0) ** 0.6))
