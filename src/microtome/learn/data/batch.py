"""A batch: each window cut and changed, then those of the batch together, then encoded and stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.augment import catalogue
from microtome.learn.augment.chain import Chain, Drawn, apply
from microtome.learn.augment.example import Example
from microtome.learn.augment.placement import Placement
from microtome.learn.augment.randomness import generator
from microtome.learn.augment.warp import warp
from microtome.learn.data.memory import Memory, naming
from microtome.learn.data.options import Options
from microtome.learn.data.windows import Window

__all__ = ["Batch", "BatchJob", "arrays_of", "make", "with_arrays"]

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Batch:
    """N windows, stacked.

    Attributes
    ----------
    image : ndarray, shape (N, *window, C)
        In the dtype of the images; float32 with the values as they are where dtypes differ.
    classes, objects : ndarray, shape (N, *window), or None
        Of the window without its margin.
    targets : mapping of str to ndarray, shape (N, ...)
        What `encode` made of each window.
    names : tuple of str
        Of the images.
    boxes, points : tuple of (ndarray, ndarray)
        Of each window without its margin, with their ids; empty where the data has none.
    object_class : tuple of mapping of int to int
        The classes of each window's objects, where known.
    windows : tuple of Window
    drawn : tuple
        What was done to each: ``apply(drawn, example, shape=..., centre=...)`` does it again.
    """

    image: NDArray[Any]
    classes: NDArray[Any] | None
    objects: NDArray[np.int32] | None
    targets: Mapping[str, NDArray[Any]]
    names: tuple[str, ...]
    boxes: tuple[Rows, ...]
    points: tuple[Rows, ...]
    object_class: tuple[Mapping[int, int], ...]
    windows: tuple[Window, ...]
    drawn: tuple[Drawn, ...]

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True)
class BatchJob:
    """Windows of one batch, and which of them are wanted: the others take part in the steps of several samples."""

    windows: tuple[Window, ...]
    first: int
    past: int


def make(memory: Memory, job: BatchJob) -> Batch:
    """Make a batch. What comes of a window does not depend on which windows are wanted."""
    options = memory.options
    made = _cut(memory, job.windows)
    mixed = _mixed([example for example, _ in made], options.mix, job.windows[0].seed)
    wanted = slice(job.first, job.past)
    windows, examples = job.windows[wanted], mixed[wanted]
    inner = [_without_margin(example, options.margins) for example in examples]
    encoded = [_encoded(memory, window.entry, example) for window, example in zip(windows, inner, strict=True)]
    return Batch(
        _stacked([example.image for example in examples]),
        None if inner[0].classes is None else np.stack([np.asarray(one.classes) for one in inner]),
        None if inner[0].objects is None else np.stack([np.asarray(one.objects) for one in inner]),
        {name: np.stack([targets[name] for targets in encoded]) for name in encoded[0]},
        tuple(one.name for one in inner),
        tuple((one.boxes, one.box_ids) for one in inner if one.boxes is not None),
        tuple((one.points, one.point_ids) for one in inner if one.points is not None),
        tuple(one.object_class for one in inner),
        windows,
        tuple(drawn for _, drawn in made[wanted]),
    )


def _cut(memory: Memory, windows: Sequence[Window]) -> list[tuple[Example, Drawn]]:
    """The windows; those of one image one after the other, so that an image that is not kept is read once a batch."""
    made: dict[int, tuple[Example, Drawn]] = {}
    by_image = sorted(range(len(windows)), key=lambda number: windows[number].entry)
    for entry, numbers in groupby(by_image, key=lambda number: windows[number].entry):
        with naming(memory, entry):
            example = memory.example(entry)
            made |= {number: _window(memory.options, example, windows[number]) for number in numbers}
    return [made[number] for number in range(len(windows))]


def _window(options: Options, example: Example, window: Window) -> tuple[Example, Drawn]:
    drawn = options.chain.draw(generator(window.seed), replace(example.frame, shape=options.input_shape))
    # With a margin m the middle (n + 2 m) // 2 lies m pixels behind n // 2, so the centre is the same.
    cut = apply(drawn, example, shape=options.input_shape, centre=window.centre, border=options.border,
                interpolation=options.interpolation)  # fmt: skip
    return cut, drawn


def _mixed(examples: Sequence[Example], mix: Chain, seed: int) -> Sequence[Example]:
    for name, parameters in mix.draw_batch(generator(seed, 1), examples[0].frame, len(examples)):
        examples = catalogue.load(name).apply(parameters, examples)
    return examples


def _encoded(memory: Memory, entry: int, example: Example) -> dict[str, NDArray[Any]]:
    if memory.options.encode is None:
        return {}
    with naming(memory, entry):
        return dict(memory.options.encode(example))


def _without_margin(example: Example, margin: tuple[int, ...]) -> Example:
    if not any(margin):
        return example
    inside = Placement(tuple(n - 2 * side for n, side in zip(example.shape, margin, strict=True)), margin, np.eye(example.ndim))
    return warp(example, inside)


def _stacked(images: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.stack(images if len({image.dtype for image in images}) == 1 else [image.astype(np.float32) for image in images])


# A batch comes from another process in two parts: its large arrays, and the rest.


def arrays_of(batch: Batch) -> dict[str, NDArray[Any]]:
    """The large arrays by name."""
    own = {"image": batch.image, "classes": batch.classes, "objects": batch.objects}
    return {name: array for name, array in own.items() if array is not None} | {f"targets/{k}": v for k, v in batch.targets.items()}


def with_arrays(batch: Batch, arrays: Mapping[str, Any]) -> Batch:
    """The batch with these large arrays and no others."""
    targets = {name.removeprefix("targets/"): array for name, array in arrays.items() if name.startswith("targets/")}
    image, classes, objects = (arrays.get(name) for name in ("image", "classes", "objects"))
    return replace(batch, image=image, classes=classes, objects=objects, targets=targets)  # type: ignore[arg-type]
