"""Masks that hold colours where ids are meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.learn.data.doctor.colours import by_number, name_of
from microtome.learn.data.doctor.facts import MaskFacts, PairFacts
from microtome.learn.data.doctor.levels import main_colours
from microtome.learn.data.doctor.raw import RawMask
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count, listed, percent
from microtome.learn.data.problem import Problem

__all__ = ["find", "mapping", "mend"]

_NEAR = 24


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a mask file; a note where the class list names all colours of all masks, so that they are read as classes."""
    coloured = [(pair, mask) for pair, mask in survey.masks() if mask.mode == "colour"]
    if not coloured:
        return
    table = mapping(survey)
    understood = len(coloured) == len([*survey.masks()]) and all(pair.labels is not None for pair, _ in coloured)
    for pair, mask in coloured:
        problem = _problem(survey, pair, mask, table)
        yield replace(problem, severity="note") if understood else problem


def _problem(survey: Survey, pair: PairFacts, mask: MaskFacts, table: dict[int, int]) -> Problem:
    values = mask.values
    assert values is not None
    main = main_colours(values)
    rest = values.distinct - len(main)
    shown = [_said(survey, colour, values.share(colour), table) for colour in main]
    message = f"{count(len(main), 'colour')} where ids are expected: {listed(shown, 6)}"
    if rest > 0:
        message += f"; {count(rest, 'more colour')} along borders, from smoothing or compression"
    named = bool(by_number(survey.dataset.colours))
    how = "by the colours of the class list" if named else "by how common the colours are over all masks, black first: check the mapping"
    if survey.kind == "instance":
        how = "one a colour, in each image anew"
    mendable = 0 < len(main) <= 256 and pair.mask is not None
    return Problem(
        "colours-as-classes",
        message,
        mask.file,
        "exported for looking at, or a palette expanded by a program on the way",
        f"--fix writes ids, {how}" if mendable else "export the labels as grey or palette PNG",
        tuple(f"#{colour:06x}" for colour in main[:12]),
        tuple(values.place(colour) for colour in main[:12]),
        fixable=mendable,
    )


def _said(survey: Survey, colour: int, share: float, table: dict[int, int]) -> str:
    known = by_number(survey.dataset.colours).get(colour)
    meant = f" = {name_of(survey.classes, known)}" if known is not None else f" → {table[colour]}" if colour in table else ""
    return f"#{colour:06x} ({percent(share)}){meant}"


def mapping(survey: Survey) -> dict[int, int]:
    """An id for every main colour of all colour masks: by the class list where it has colours, else by frequency, black being 0."""
    known = by_number(survey.dataset.colours)
    total: Counter[int] = Counter()
    for _, mask in survey.masks():
        if mask.mode == "colour" and mask.values is not None:
            for colour in main_colours(mask.values):
                total[colour] += round(mask.values.share(colour) * mask.values.pixels)
    table = {colour: value for colour, value in known.items() if colour in total} if known else {}
    free = iter(value for value in range(len(total) + len(known) + 1) if value not in set(known.values()))
    if 0 in total and 0 not in table and not known:
        table[0] = next(free)
    # colours that the list does not have: the nearest of it where that is close, else new values
    for colour, _ in sorted(total.items(), key=lambda item: (-item[1], item[0])):
        if colour not in table:
            near = min(known, key=lambda other: _distance(colour, other), default=None)
            table[colour] = known[near] if near is not None and _distance(colour, near) <= _NEAR else next(free)
    return table


def mend(raw: RawMask, problem: Problem, survey: Survey, pair: PairFacts) -> tuple[NDArray[Any], dict[str, Any]]:
    """Write the id of the nearest main colour."""
    pixels = raw.pixels
    mask = pair.masks[0]
    assert mask.values is not None
    main = main_colours(mask.values)
    if survey.kind == "instance":
        first = [0] if 0 in main else list(main[:1])  # black, or the commonest, is the background
        table = {colour: number for number, colour in enumerate([*first, *(c for c in main if c not in first)])}
    else:
        table = mapping(survey)
    eight = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    wanted = np.array([[colour >> shift & 255 for shift in (16, 8, 0)] for colour in main], np.int32)
    nearest = np.zeros(eight.shape[:2], np.intp)
    best = np.full(eight.shape[:2], np.iinfo(np.int32).max, np.int32)
    for number, colour in enumerate(wanted):
        distance = ((eight.astype(np.int32) - colour) ** 2).sum(axis=-1, dtype=np.int32)
        closer = distance < best
        nearest[closer], best[closer] = number, distance[closer]
    ids = np.array([table[colour] for colour in main], np.int32)
    return ids[nearest], {
        "colours": {f"#{colour:06x}": table[colour] for colour in main},
        "pixels of other colours": int(np.count_nonzero(best)),
    }


def _distance(one: int, other: int) -> int:
    return max(abs((one >> shift & 255) - (other >> shift & 255)) for shift in (0, 8, 16))
