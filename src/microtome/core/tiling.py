"""How a step may be cut into tiles: each step declares one of these, and the contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Local", "Mergeable", "Reducible", "Tiling", "Whole", "Windowed"]


@dataclass(frozen=True)
class Local:
    """A pixel's value depends on pixels at most `halo` away: tiles equal the whole bit for bit.

    `halo` is a number of pixels for every axis, or a function of the settings (a namespace, lengths already in
    pixels) that gives one.
    """

    halo: int | Callable[[Any], int] = 0

    def reach(self, settings: Any) -> int:
        """The halo for these settings."""
        return self.halo(settings) if callable(self.halo) else self.halo


@dataclass(frozen=True)
class Reducible:
    """Local after a first look at everything: tiles equal the whole bit for bit once they share one summary.

    Parameters
    ----------
    *passes : function (image, settings, before) -> summary
        Each looks at every tile once. `before` is the merged summary of the pass before (None in the first); a
        summary has ``merge(other)``, exact and independent of order. The last pass's summary is handed to the step
        as its keyword `summary`.
    """

    passes: tuple[Callable[[Any, Any, Any], Any], ...]

    def __init__(self, *passes: Callable[[Any, Any, Any], Any]) -> None:
        object.__setattr__(self, "passes", passes)


@dataclass(frozen=True)
class Mergeable:
    """Blocks are solved one by one and merged: equal up to the numbering of objects.

    `by` says how. ``"faces"``: any cut will do, and pieces that touch across a face are joined. ``"component"``: a
    block must hold a connected component of the input whole (of the background, for holes), and then its result does
    not depend on the rest.
    """

    by: Literal["faces", "component"] = "component"


@dataclass(frozen=True)
class Whole:
    """Needs the whole image; tiles are refused by name. `why` tells the user."""

    why: str = "its result depends on the whole image"


@dataclass(frozen=True)
class Windowed:
    """Defined by a grid of windows anchored at the image's origin, which the step's settings give, and added up in the grid's order:
    executors, memory limits, threads and the number of windows at once give the same bytes. Another grid is another result.
    """


Tiling = Local | Reducible | Mergeable | Whole | Windowed
