"""Some objects of one sample pasted into another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator

from microtome.core.errors import InputError
from microtome.core.parameters import Range
from microtome.learn.augment.batch._paste import alike, paste
from microtome.learn.augment.example import Example, Frame
from microtome.learn.augment.randomness import generator

__all__ = ["apply", "draw"]


def draw(rng: Generator, frame: Frame, count: int, *, share: Annotated[tuple[float, float], Range(0, 1)] = (0.0, 0.5)) -> dict[str, Any]:
    """Draw a partner for each sample of a batch, and which share of the partner's objects comes over.

    Parameters
    ----------
    rng : Generator
    frame : Frame
        The window.
    count : int
        The samples of the batch.
    share : pair of float
        From, to.

    Returns
    -------
    dict
        ``partner``: a permutation; ``share``; ``seed``: of the choice of objects.

    References
    ----------
    G. Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation, CVPR 2021, arXiv 2012.07177.

    Examples
    --------
    >>> sorted(draw(np.random.default_rng(0), Frame((8, 8)), 2))
    ['partner', 'seed', 'share']
    """
    return {
        "partner": [int(one) for one in rng.permutation(count)],
        "share": [float(one) for one in rng.uniform(*share, count)],
        "seed": [int(one) for one in rng.integers(1 << 62, size=count)],
    }


def apply(parameters: dict[str, Any], examples: Sequence[Example]) -> list[Example]:
    """Paste objects with their pixels, classes and new numbers; they lie on top, and what they hide is gone.

    Distances, weights and other targets that are computed from objects must be encoded afterwards.

    Raises
    ------
    InputError
        If the examples have no objects, or differ in shape or channels.
    """
    alike(examples, "copy_paste")
    if any(example.objects is None for example in examples):
        raise InputError("copy_paste: needs objects (an instance map); class maps do not say where one ends")
    out = []
    for number, example in enumerate(examples):
        partner = examples[parameters["partner"][number]]
        chosen = _some(partner, parameters["share"][number], parameters["seed"][number])
        out.append(paste(example, partner, np.isin(partner.objects, chosen)) if partner is not example else example)
    return out


def _some(example: Example, share: float, seed: int) -> Any:
    ids = np.unique(np.asarray(example.objects))
    ids = ids[ids > 0]
    return generator(seed).permutation(ids)[: round(share * len(ids))]
