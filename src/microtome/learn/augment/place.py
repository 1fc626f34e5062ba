"""All geometric steps of a sample to one placement of its window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from microtome.core.errors import InputError
from microtome.learn.augment import catalogue
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.placement import Placement, symmetry
from microtome.learn.augment.warp import warp

__all__ = ["alone", "place"]

Drawn = Sequence[tuple[str, dict[str, Any]]]


def place(drawn: Drawn, frame: Frame, *, centre: Sequence[int] | None = None) -> Placement:
    """Compose steps into one map.

    Matrices are multiplied in the order of the steps, each about the middle of the window; fields are added, in pixels of the window,
    whatever their place among the steps.

    Parameters
    ----------
    drawn : sequence of (name, parameters)
        Geometric steps.
    frame : Frame
        Its shape is the window's, or, without `centre`, the image's.
    centre : sequence of int, optional
        The pixel of the image that stands in the middle of the window: at ``n // 2``. Left out: the whole image is the window, and a
        quarter turn exchanges its sides.

    Raises
    ------
    InputError
        If a matrix of the parameters does not fit the number of axes.

    Examples
    --------
    >>> place([("flips", {"axes": [1, 0], "flip": [False, False]})], Frame((4, 6))).shape
    (6, 4)
    """
    matrix, turn = np.eye(frame.ndim), np.eye(frame.ndim)
    shift = np.zeros(frame.ndim)
    fields = []
    for name, parameters in drawn:
        step = catalogue.load(name)
        if hasattr(step, "field"):
            fields.append(step.field(parameters, frame))
            continue
        back = step.matrix(parameters, frame)
        shift += matrix @ back @ np.asarray(parameters.get("shift", np.zeros(frame.ndim)))
        matrix = matrix @ back
        turn = turn @ back if symmetry(back) else turn
    if any(len(field) != frame.ndim or field.ndim != frame.ndim + 1 for field in fields):
        raise InputError(f"elastic: the grid must be {frame.ndim} components of {frame.ndim} axes, found {fields[0].shape}")
    found = symmetry(turn)
    turned = found[0] if found else tuple(range(frame.ndim))
    shape = frame.shape if centre is not None else tuple(frame.shape[int(axis)] for axis in np.argsort(turned))
    block = [shape[axis] for axis in turned]
    start = (0,) * frame.ndim if centre is None else tuple(int(at) - n // 2 for at, n in zip(centre, block, strict=True))
    return Placement(shape, start, matrix, tuple(fields), turned, -shift)


def alone(name: str, parameters: dict[str, Any], example: Example) -> Example:
    """One step on a whole example."""
    return warp(example, place([(name, parameters)], example.frame))
