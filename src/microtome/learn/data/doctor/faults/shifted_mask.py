"""Masks that lie beside the objects of their image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from microtome.learn.data.doctor.alignment import Alignment
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find", "is_shifted"]

_LEAST = 3
_GAP = 3.0


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each file that fits clearly better some pixels away, in a set whose masks lie in place; or one for the whole set."""
    known = [labels.alignment for _, labels in survey.labelled() if labels.alignment is not None]
    if together := _all_of_them(known):
        yield Problem(
            "all-masks-shifted",
            f"most masks fit their images best when moved by {_moved(together)}",
            cause="images and masks were cropped or resized differently, or coordinates start at another corner",
            remedy="export both in the same way; move the masks",
            values=together,
        )
        return
    if not survey.in_place:
        return
    for pair, labels in survey.labelled():
        found = labels.alignment
        if found is not None and is_shifted(found):
            yield Problem(
                "mask-shifted",
                f"the mask's borders lie on the image's edges when it is moved by {_moved(found.shift)} "
                f"(the match there is {found.gap:.1f} standard deviations better)",
                pair.file,
                "the mask was drawn on another version of the image (cropped, resized, another frame), or moved in an editor",
                "export the mask again; --fix does not move it, since what was cut off is not there",
                found.shift,
                others=(pair.image.file,),
            )


def is_shifted(found: Alignment) -> bool:
    """Whether a place at least three pixels away fits clearly, and clearly better than the mask's own."""
    away = max(map(abs, found.shift)) >= _LEAST
    return away and found.peak >= 5 and found.gap >= _GAP and found.turn_near < found.peak


def _all_of_them(known: list[Alignment]) -> tuple[int, int] | None:
    clear = np.array([found.shift for found in known if found.peak >= 5])
    if len(clear) < 5 or len(clear) < 0.5 * len(known):
        return None
    middle = np.median(clear, axis=0)
    alike = np.mean(np.abs(clear - middle).max(axis=1) <= 1)
    moved = (int(middle[0]), int(middle[1]))
    return moved if max(map(abs, moved)) >= _LEAST and alike >= 0.7 else None


def _moved(shift: tuple[int, int]) -> str:
    down, right = shift
    words = [count(abs(down), "pixel") + (" down" if down > 0 else " up")] if down else []
    words += [count(abs(right), "pixel") + (" right" if right > 0 else " left")] if right else []
    return " and ".join(words)
