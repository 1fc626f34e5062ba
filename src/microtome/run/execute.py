"""Carry one image through a recipe: steps, then measurements."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from microtome.core.events import collect_warnings
from microtome.core.explain import Explanation, listen
from microtome.core.raster import Image, InstanceMap, Raster, ScoreMap, SemanticMap
from microtome.core.regrid import onto
from microtome.core.result import Result
from microtome.core.table import Table
from microtome.run.graph import IMAGE, Node, Plan

__all__ = ["execute", "up_to"]

PREVIEW = 512  # the longest side of an explanation's map: it is looked at, not measured


def execute(
    plan: Plan, image: Image, *, name: str = "", summaries: Mapping[int, Any] | None = None, explain: bool = False, scores: bool = False
) -> Result:
    """Run the plan on one image.

    Parameters
    ----------
    plan : Plan
    image : Image
    name : str
        Its name within the run.
    summaries : mapping of int to summary
        For steps that decide over several images: the step's number to what it decides by.
    explain : bool
        Also gather what the steps explain.
    scores : bool
        Also keep the scores that masks were made of.

    Returns
    -------
    Result
        With masks by output name, the object table, timings by step and warnings.
    """
    timings: dict[str, float] = {}
    explained: list[Explanation] = []
    values: dict[str, Raster] = {IMAGE: image}
    with collect_warnings() as warnings:
        for node in plan.nodes:
            start = time.perf_counter()
            explained += _run_step(node, values, summaries or {}, explain)
            timings[f"{node.number + 1} {node.step.name}"] = time.perf_counter() - start
        masks = {output: onto(_mask(values[key]), image) for output, key in plan.outputs.items()}
        start = time.perf_counter()
        objects = _measure(plan, masks, image)
        timings["measure"] = time.perf_counter() - start
    kept = _scores(plan, values) if scores else {}
    said = tuple(dict.fromkeys(warnings))
    return Result(name, masks, objects, image, timings=timings, warnings=said, explained=tuple(explained), scores=kept)


def up_to(plan: Plan, number: int, image: Image, summaries: Mapping[int, Any]) -> Raster:
    """The first input of step `number` for this image: what a decision over several images looks at."""
    values: dict[str, Raster] = {IMAGE: image}
    with collect_warnings():  # said again, and kept, when the image itself is segmented
        for node in plan.nodes[:number]:
            _run_step(node, values, summaries, False)
        return _value(next(iter(plan.nodes[number].inputs.values())), values)


def _run_step(node: Node, values: dict[str, Raster], summaries: Mapping[int, Any], explain: bool) -> list[Explanation]:
    inputs = {name: _value(key, values) for name, key in node.inputs.items()}
    decided = {"summary": summaries[node.number]} if node.number in summaries else {}
    if explain:
        with listen() as heard:
            result = node.step(**inputs, **node.settings, **decided)
    else:
        heard = []
        result = node.step(**inputs, **node.settings, **decided)
    results = (result,) if len(node.makes) == 1 else tuple(result)
    values.update(zip(node.makes, results, strict=True))
    return [replace(item, step=f"{node.number + 1} {node.step.name}", data=_small(item.data)) for item in heard]


def _value(key: str, values: Mapping[str, Raster]) -> Raster:
    if key in values:
        return values[key]
    image = values[IMAGE]
    if not isinstance(image, Image):
        raise TypeError(f"{key}: the value called image is a {type(image).__name__}")
    return image.channel(key.removeprefix(f"{IMAGE}."))


def _scores(plan: Plan, values: Mapping[str, Raster]) -> dict[str, ScoreMap]:
    """Every result that is scores, by its name; one without a name by its step."""
    made = {key: f"{node.number + 1}_{node.step.name}" if key.startswith("#") else key for node in plan.nodes for key in node.makes}
    return {name: value for key, name in made.items() if isinstance(value := values[key], ScoreMap)}


def _mask(value: Raster) -> SemanticMap | InstanceMap:
    if not isinstance(value, (SemanticMap, InstanceMap)):
        raise TypeError(f"an output must be a mask, not {type(value).__name__}")
    return value


def _measure(plan: Plan, masks: Mapping[str, SemanticMap | InstanceMap], image: Image) -> Table:
    from microtome.measure.regions import measure

    if not plan.measure:
        return Table({})
    return Table.concat(measure(mask, image, plan.measure).with_front(output=output) for output, mask in masks.items())


def _small(data: Mapping[str, Any]) -> dict[str, Any]:
    """Keep explanations light: large maps are thinned to `PREVIEW`, volumes to their middle plane."""
    return {
        key: _thin(value) if isinstance(value, np.ndarray) and value.ndim >= 2 and key in ("values", "labels") else value
        for key, value in data.items()
    }


def _thin(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    plane = array[array.shape[0] // 2] if array.ndim == 3 else array
    stride = max(1, -(-max(plane.shape) // PREVIEW))
    return np.ascontiguousarray(plane[::stride, ::stride])
