"""The heads of a target: which numbers a network gives for each pixel, and how they become scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from microtome.core.errors import InputError
from microtome.core.raster import Raster, ScoreMap

__all__ = ["Head", "perfect_scores", "scores_of"]


@dataclass(frozen=True)
class Head:
    """One named output of a network.

    Attributes
    ----------
    name : str
        As in the arrays a target's `encode` gives, and in the network's outputs.
    layers : tuple of str
        What each of its channels is; their names in the `ScoreMap` a decoder reads.
    activation : "softmax", "sigmoid" or "none"
        What turns the network's numbers into scores: over the channels together, each alone, or nothing.
    within : str
        Another head: only where its target is above zero does this one mean something, and is it learned. Empty: everywhere.
    """

    name: str
    layers: tuple[str, ...]
    activation: Literal["softmax", "sigmoid", "none"] = "none"
    within: str = ""

    def activate(self, outputs: NDArray[Any]) -> NDArray[np.float32]:
        """Scores of a network's numbers, channels last.

        Examples
        --------
        >>> Head("classes", ("sky", "road"), "softmax").activate(np.array([[1000.0, 1000.0]])).tolist()
        [[0.5, 0.5]]
        """
        values = np.asarray(outputs, np.float32)
        if self.activation == "none":
            return values
        if self.activation == "sigmoid":
            return (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32, copy=False)
        raised = np.exp(values - values.max(-1, keepdims=True))
        return (raised / raised.sum(-1, keepdims=True)).astype(np.float32, copy=False)


def scores_of(outputs: Mapping[str, NDArray[Any]], heads: Sequence[Head], like: Raster) -> ScoreMap:
    """Put a network's outputs together as the scores a decoder reads.

    Parameters
    ----------
    outputs : mapping of str to ndarray (*spatial, channels), or (*spatial) of one channel
        By the heads' names, as the network gives them.
    heads : sequence of Head
    like : Raster
        The image: its axes, spacing and source.

    Raises
    ------
    InputError
        If a head has no output, or another number of channels.

    Examples
    --------
    >>> image = ScoreMap(np.zeros((1, 2)))
    >>> scores_of({"foreground": np.array([[0.0, 9.0]])}, [Head("foreground", ("foreground",), "sigmoid")], image).pixels.round(1).tolist()
    [[[0.5], [1.0]]]
    """
    parts = [head.activate(_channels_of(outputs, head, like)) for head in heads]
    return _stacked(parts, heads, like)


def perfect_scores(targets: Mapping[str, NDArray[Any]], heads: Sequence[Head], like: Raster) -> ScoreMap:
    """The scores of a network without fault: classes become 0 and 1, numbers stay. What its decoder makes of them is the best
    a target can give.

    Examples
    --------
    >>> head = Head("classes", ("sky", "road"), "softmax")
    >>> perfect_scores({"classes": np.array([[1, 0]])}, [head], ScoreMap(np.zeros((1, 2)))).pixels.tolist()
    [[[0.0, 1.0], [1.0, 0.0]]]
    """
    parts = []
    for head in heads:
        if head.activation == "softmax":
            parts.append((targets[head.name][..., None] == np.arange(len(head.layers))).astype(np.float32))
        else:
            parts.append(_channels_of(targets, head, like).astype(np.float32))
    return _stacked(parts, heads, like)


def _channels_of(outputs: Mapping[str, NDArray[Any]], head: Head, like: Raster) -> NDArray[Any]:
    if head.name not in outputs:
        raise InputError(f"the network gives {', '.join(sorted(outputs)) or 'nothing'}; {head.name} is expected of it too")
    values = np.asarray(outputs[head.name])
    values = values[..., None] if values.ndim == like.ndim else values
    expected = (*like.shape, len(head.layers))
    if values.shape != expected:
        raise InputError(f"output {head.name} has shape {values.shape}, expected {expected}: {', '.join(head.layers)} last")
    return values


def _stacked(parts: Sequence[NDArray[np.float32]], heads: Sequence[Head], like: Raster) -> ScoreMap:
    geometry = like.geometry()
    names = tuple(layer for head in heads for layer in head.layers)
    return ScoreMap(np.concatenate(parts, axis=-1), **{**geometry, "axes": geometry["axes"] + "c"}, layers=names)
