"""A rectangle of one sample pasted into another, with everything that lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.parameters import Range
from microtome.learn.augment.batch._paste import alike, paste
from microtome.learn.augment.example import Example, Frame

__all__ = ["apply", "draw"]


def draw(rng: Generator, frame: Frame, count: int, *, alpha: Annotated[float, Range(above=0, max=100)] = 1.0) -> dict[str, Any]:
    """Draw a partner and a box for each sample of a batch.

    Parameters
    ----------
    rng : Generator
    frame : Frame
        The window.
    count : int
        The samples of the batch.
    alpha : float
        The share that is kept is of the beta distribution of alpha, alpha.

    Returns
    -------
    dict
        ``partner``: a permutation; ``boxes``: least corner, then greatest, half-open, cut at the window's edge.

    References
    ----------
    S. Yun et al., CutMix, ICCV 2019, arXiv 1905.04899, section 3.1 (the box has the window's proportions).

    Examples
    --------
    >>> len(draw(np.random.default_rng(0), Frame((8, 8)), 3)["boxes"])
    3
    """
    boxes = []
    for kept in rng.beta(alpha, alpha, count):
        sides = np.asarray(frame.shape) * (1 - kept) ** (1 / frame.ndim)
        middle = rng.uniform(0, frame.shape)
        low, high = np.rint(middle - sides / 2).clip(0, frame.shape), np.rint(middle + sides / 2).clip(0, frame.shape)
        boxes.append([int(edge) for edge in (*low, *high)])
    return {"partner": [int(one) for one in rng.permutation(count)], "boxes": boxes}


def apply(parameters: dict[str, Any], examples: Sequence[Example]) -> list[Example]:
    """Paste each partner's box; its objects are renumbered above those of the sample.

    Raises
    ------
    InputError
        If the examples have not all the same shape, channels and kinds of labels.
    """
    alike(examples, "cutmix")
    out = []
    for example, partner, box in zip(examples, parameters["partner"], parameters["boxes"], strict=True):
        inside = np.zeros(example.shape, bool)
        inside[tuple(slice(low, high) for low, high in zip(box[: example.ndim], box[example.ndim :], strict=True))] = True
        out.append(paste(example, examples[partner], inside))
    return [replace(one, name=example.name) for one, example in zip(out, examples, strict=True)]
