"""Numbers of objects that reached the largest value their format holds, and may have begun again from 0."""

from __future__ import annotations

from collections.abc import Iterator

from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]

_LIMITS = {"uint8": 255, "uint16": 65535}


def find(survey: Survey) -> Iterator[Problem]:
    """One problem a file of objects that uses (nearly) every number up to the limit."""
    if survey.kind != "instance":
        return
    for pair, mask in survey.id_files():
        limit = _LIMITS.get(mask.dtype, 0)
        labels = pair.labels
        if labels is None or not limit or limit not in labels.counts or len(labels.counts) - (0 in labels.counts) < 0.9 * limit:
            continue
        split = sum(len(labels.parts.of(value)) > 1 for value in labels.counts if value) if limit == 255 else 0
        more = f", and {count(split, 'number')} stand for several separate areas: numbers above {limit} began again from 0" if split else ""
        yield Problem(
            "ids-at-limit",
            f"{mask.dtype} masks end at {limit}, and this one uses it: {len(labels.counts) - 1} objects{more}",
            mask.file,
            f"more than {limit} objects were saved with too few bits",
            "export again with 16 or 32 bits (TIFF, or 16-bit PNG)",
            (limit,),
            (mask.values.place(limit),) if mask.values is not None and limit in mask.values.value else (),
        )
