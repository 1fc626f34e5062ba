"""Small inputs for every step of the catalogue, made from what the step says it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from microtome.core.classes import ClassTable
from microtome.core.events import collect_warnings
from microtome.core.raster import Image, InstanceMap, Raster, ScoreMap, SemanticMap
from microtome.core.step import Step
from microtome.run import catalogue
from microtome.targets import catalogue as targets
from microtome.targets.heads import perfect_scores

from .local_network import local_network

__all__ = ["SHAPES", "STEPS", "example", "inputs_of", "settings_of"]

STEPS = [catalogue.load(name) for name in catalogue.names()]
SHAPES = {2: (64, 80), 3: (18, 26, 31)}

# What cannot be left out, and sizes that suit small pictures.
SETTINGS: dict[str, dict[str, Any]] = {
    "adapthisteq": {"tiles": 4},
    "drop_small": {"min_area": 12},
    "kmeans": {"restarts": 2},
    "network": {"window": 16, "overlap": 6, "depth": 8},
    "resize": {"spacing": 1},  # the size stays here, as every other step's does; tests/methods/prepare/test_resize.py changes it
    "rolling_ball": {"radius": 5},
    "separate_stains": {"white": 255},
    "split_touching": {"min_distance": 4},
    "threshold": {"value": 90},
    "watershed": {"min_distance": 4},
}


def settings_of(step: Step, ndim: int = 2) -> dict[str, Any]:
    """Settings to call the step with, on images of so many axes."""
    given = {name: value for name, value in SETTINGS.get(step.name, {}).items() if name in step.settings}
    return given | ({"weights": local_network(ndim)} if step.name == "network" else {})


def inputs_of(step: Step, ndim: int = 2, dtype: Any = np.uint8, *, optional: bool = True) -> dict[str, Raster]:
    """An input for each parameter that takes one, of the first noun it takes, over the same picture."""
    if step.name in targets.names():
        return {name: _scores(step.name, SHAPES[ndim]) for name in step.inputs}
    wanted = {name: need for name, need in step.inputs.items() if optional or not need.optional}
    return {name: example(need.nouns[0], name, SHAPES[ndim], dtype) for name, need in wanted.items()}


def example(noun: type[Raster], name: str, shape: tuple[int, ...], dtype: Any = np.uint8) -> Raster:
    """Bright blobs on a darker, uneven ground, their mask, or their objects; `dtype` is an image's."""
    axes = "zyx"[-len(shape) :]
    return noun(_PIXELS[noun](name, shape, np.dtype(dtype)), axes=axes)


def _picture(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    smooth = _landscape(shape)
    ramp = np.linspace(0, 0.25, shape[-1])
    noise = np.random.default_rng(2).random(shape) * 0.08
    levels = np.clip(0.1 + 0.5 * smooth + ramp + noise, 0, 1) * 200
    return levels > 100 if dtype.kind == "b" else levels.astype(dtype)


def _mask(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Blobs, some touching the frame, some with holes, and crumbs; one hole holds an object of its own."""
    smooth = _landscape(shape)
    mask = (smooth > 0.62) & ~((smooth > 0.8) & (smooth < 0.92))
    mask |= np.random.default_rng(3).random(shape) > 0.995
    return mask.astype(np.uint8)


def _objects(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The pieces of the mask or, for markers, a pixel or so in the core of each."""
    mask = _mask(name, shape, dtype) > 0
    return np.asarray(ndi.label(ndi.binary_erosion(mask) if name == "markers" else mask)[0], np.int32)


def _scores(target: str, shape: tuple[int, ...]) -> ScoreMap:
    """What a perfect network says of the objects; what decides about each component alone is 0 outside all."""
    mask = InstanceMap(_objects("mask", shape, np.dtype(np.int32)), axes="zyx"[-len(shape) :])
    goal = targets.load(target)
    heads = goal.heads(ClassTable.binary(), len(shape))
    with collect_warnings():
        perfect = perfect_scores(goal.encode(mask), heads, mask)
    if target not in ("interior_border", "signed_distance"):
        return perfect
    kept = [k for k, layer in enumerate(perfect.layers) if layer != "background"]
    return ScoreMap(perfect.pixels[..., kept].clip(0, None), axes=perfect.axes, layers=tuple(perfect.layers[k] for k in kept))


def _landscape(shape: tuple[int, ...]) -> NDArray[np.float64]:
    rough = ndi.gaussian_filter(np.random.default_rng(1).random(shape), 3 if len(shape) == 2 else 1.6, mode="nearest")
    low, high = np.percentile(rough, [1, 99])
    return np.clip((rough - low) / (high - low), 0, 1)


_PIXELS: dict[type[Raster], Callable[[str, tuple[int, ...], np.dtype[Any]], NDArray[Any]]] = {
    Image: _picture,
    SemanticMap: _mask,
    InstanceMap: _objects,
    ScoreMap: lambda name, shape, dtype: _landscape(shape),
}
