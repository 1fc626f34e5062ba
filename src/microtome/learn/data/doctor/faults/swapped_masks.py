"""Masks that belong to other images of the set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from microtome.core.errors import MicrotomeError
from microtome.core.events import collect_warnings
from microtome.learn.data.dataset import Entry
from microtome.learn.data.doctor.alignment import Floats, borders, edges, fit
from microtome.learn.data.doctor.facts import LabelFacts, PairFacts
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.problem import Problem

__all__ = ["find"]

_CLEAR, _BETTER, _MOST = 5.0, 2.5, 24


def find(survey: Survey) -> Iterator[Problem]:
    """A problem for each file that fits another image clearly, and its own not, where the other's mask does not fit either.

    This is the only fault that looks at pictures again: those of the few masks that do not fit.
    """
    if not survey.in_place:
        return
    entries = {entry.name: entry for entry in survey.dataset}
    for suspects in _suspects(survey).values():
        looked = {pair.name: both for pair, _ in suspects if (both := _edges_and_borders(survey, entries[pair.name])) is not None}
        for pair, labels in suspects:
            if pair.name in looked and (home := _home(pair, labels, suspects, looked)) is not None:
                yield Problem(
                    "mask-of-another-image",
                    f"the mask's borders lie on the edges of {home.image.file}, and not on those of its own image",
                    pair.file,
                    "files were renamed or sorted in different orders",
                    "exchange the masks",
                    others=(home.image.file, pair.image.file),
                )


def _suspects(survey: Survey) -> dict[tuple[int, ...], list[tuple[PairFacts, LabelFacts]]]:
    """The entries whose masks do not fit, by size; the worst first, at most two dozen of a size."""
    by_shape: defaultdict[tuple[int, ...], list[tuple[PairFacts, LabelFacts]]] = defaultdict(list)
    for pair, labels in survey.labelled():
        if labels.alignment is not None and not labels.alignment.in_place and len(labels.shape) == 2:
            by_shape[labels.shape].append((pair, labels))
    return {
        shape: sorted(some, key=lambda one: one[1].alignment.near if one[1].alignment else 0.0)[:_MOST]
        for shape, some in by_shape.items()
        if len(some) > 1
    }


def _edges_and_borders(survey: Survey, entry: Entry) -> tuple[Floats, Floats] | None:
    from microtome.learn.data.load import load_image, load_truth

    try:
        with collect_warnings():
            image, truth = load_image(entry), load_truth(survey.dataset, entry)
    except MicrotomeError:  # told as another fault
        return None
    labels: NDArray[Any] = truth.pixels
    return edges(image.pixels), borders(labels)


def _home(
    pair: PairFacts, labels: LabelFacts, suspects: list[tuple[PairFacts, LabelFacts]], looked: dict[str, tuple[Floats, Floats]]
) -> PairFacts | None:
    own = labels.alignment.near if labels.alignment is not None else 0.0
    fits = {
        number: near
        for number, (other, _) in enumerate(suspects)
        if other.name != pair.name and other.name in looked and (near := fit(looked[other.name][0], looked[pair.name][1])) is not None
    }
    best = max(fits, key=lambda number: fits[number], default=None)
    return suspects[best][0] if best is not None and fits[best] >= max(_CLEAR, own + _BETTER) else None
