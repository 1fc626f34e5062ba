"""Views of a window, mirrored and turned, and what a network says of them brought back (test-time augmentation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

__all__ = ["View", "views"]


@dataclass(frozen=True)
class View:
    """One view of windows (N, *window, C): y and x exchanged or not, then mirrored along some axes.

    Attributes
    ----------
    exchanged : bool
    mirrored : tuple of int
        Axes of the batch, from 1.
    """

    exchanged: bool = False
    mirrored: tuple[int, ...] = ()

    def seen(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The windows as this view shows them."""
        turned = np.swapaxes(windows, windows.ndim - 3, windows.ndim - 2) if self.exchanged else windows
        return np.flip(turned, self.mirrored)

    def back(self, answers: NDArray[np.float32], ways: Mapping[int, int]) -> NDArray[np.float32]:
        """What was said of the view, over the windows' own pixels.

        Parameters
        ----------
        answers : ndarray of float32, shape (N, *window, L)
        ways : mapping of int to int
            Which layer, if any, is the component of a vector along which axis of the batch: it changes its sign and its place.
        """
        y, x = answers.ndim - 3, answers.ndim - 2
        found = np.flip(answers, self.mirrored)
        found = np.swapaxes(found, y, x) if self.exchanged else found
        if not ways or not (self.mirrored or self.exchanged):
            return found
        found, seen = found.copy(), found
        for axis, layer in ways.items():
            shown = {y: x, x: y}.get(axis, axis) if self.exchanged else axis
            sign = np.float32(-1 if shown in self.mirrored else 1)
            found[..., layer] = sign * seen[..., ways.get(shown, layer)]
        return found


def views(ndim: int, *, flips: bool, turns: bool) -> list[View]:
    """The views of flat windows or of volumes: the plain one, with mirrored ones, with quarter turns about z, or with both.

    Examples
    --------
    >>> [len(views(2, flips=flips, turns=turns)) for flips, turns in ((False, False), (True, False), (False, True), (True, True))]
    [1, 4, 4, 8]
    """
    axes = tuple(range(1, ndim + 1))
    if flips:
        mirrors = [tuple(axis for bit, axis in enumerate(axes) if number >> bit & 1) for number in range(1 << ndim)]
    else:
        mirrors = [tuple(axis for bit, axis in enumerate(axes[-2:]) if number >> bit & 1) for number in range(4 if turns else 1)]
    every = [View(exchanged, mirrored) for exchanged, mirrored in product((False, True) if turns else (False,), mirrors)]
    # Of the plane's eight views, the turns are those that mirror as often as they exchange: an even number of times together.
    return every if flips else [view for view in every if (view.exchanged + len(view.mirrored)) % 2 == 0]
