"""What becomes of a window between the image and the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from numpy.typing import NDArray

from microtome.core.errors import RecipeError
from microtome.core.result import Sample
from microtome.learn.augment.border import Border
from microtome.learn.augment.chain import Chain
from microtome.learn.augment.example import Example
from microtome.learn.augment.warp import Interpolation

__all__ = ["Encode", "Options", "Prepare", "check_importable"]

Prepare = Callable[[Sample], Sample]
Encode = Callable[[Example], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Options:
    """What becomes of a window.

    Attributes
    ----------
    shape : tuple of int
        Of a window: what the network's output covers.
    margin : tuple of int
        What the image has more on each side, for networks whose output is smaller than their input; empty: none.
    chain : Chain
        Done to each window.
    mix : Chain
        Done to a batch: steps of several samples.
    border, interpolation : str
        See `microtome.learn.augment.warp.warp`.
    prepare : callable, optional
        From a sample as it was read to the one that windows are cut from: normalised, resized. Image and labels must cover the same
        pixels afterwards too. Called once an image where memory allows: it is kept with what `prepare` made of it.
    encode : callable, optional
        From a window after all changes, without its margin, to named arrays: a network's targets.
    """

    shape: tuple[int, ...]
    margin: tuple[int, ...] = ()
    chain: Chain = field(default_factory=Chain)
    mix: Chain = field(default_factory=Chain)
    border: Border = "reflect"
    interpolation: Interpolation = "linear"
    prepare: Prepare | None = None
    encode: Encode | None = None

    @property
    def margins(self) -> tuple[int, ...]:
        """One an axis."""
        return self.margin or (0,) * len(self.shape)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the image."""
        return tuple(n + 2 * side for n, side in zip(self.shape, self.margins, strict=True))


def check_importable(options: Options) -> None:
    """Refuse functions that a worker process cannot import by their name.

    Raises
    ------
    RecipeError
        With the function and the ways out.
    """
    for name, given in (("prepare", options.prepare), ("encode", options.encode)):
        function: Any = given
        while isinstance(function, partial):
            function = function.func
        known = function if hasattr(function, "__qualname__") else type(function)  # a callable object travels with its class
        if known.__module__ == "__main__":
            raise RecipeError(f"{name}: {given!r} lies in the script that is run, which worker processes do not import; "
                              "put it into a module beside it, or use workers=0")  # fmt: skip
        if "<" in known.__qualname__:  # <lambda>, <locals>
            raise RecipeError(f"{name}: {given!r} has no name that worker processes could import; make it a function of a module, "
                              "or use workers=0")  # fmt: skip
