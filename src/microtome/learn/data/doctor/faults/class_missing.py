"""Classes that occur in no image, or in one split only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from microtome.learn.data.doctor.colours import name_of
from microtome.learn.data.doctor.survey import Survey
from microtome.learn.data.doctor.words import count
from microtome.learn.data.problem import Problem

__all__ = ["find"]


def find(survey: Survey) -> Iterator[Problem]:
    """A problem where the training part lacks a class that others have; notes otherwise."""
    files: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for pair, values in _values(survey):
        files[pair].update(values)
    splits = [split for split in survey.dataset.splits if split in files]
    there = {value for counts in files.values() for value in counts}
    for value in sorted(there):
        for split in splits:
            if value not in files[split]:
                elsewhere = ", ".join(f"{count(files[other][value], 'image')} of {other}" for other in splits if files[other][value])
                grave = split == "train"
                yield Problem(
                    "class-missing-in-split",
                    f"{name_of(survey.classes, value)} is in no image of {split}, and in {elsewhere}",
                    cause="the split was drawn without looking at classes, or a class is very rare",
                    remedy="draw the split so that every class is in every part",
                    values=(value,),
                    severity="problem" if grave else "note",
                )
    unused = [entry for entry in survey.classes if entry.value not in there and entry.role != "ignore"]
    if unused and there:
        yield Problem(
            "class-unused",
            f"in no image: {', '.join(name_of(survey.classes, entry.value) for entry in unused)}",
            cause="the class list is that of a larger set",
            remedy="nothing, or shorten the list",
            values=tuple(entry.value for entry in unused[:12]),
            severity="note",
        )


def _values(survey: Survey) -> Iterator[tuple[str, set[int]]]:
    """The split and the class values of each entry."""
    if survey.kind == "semantic":
        yield from ((pair.split, set(labels.counts)) for pair, labels in survey.labelled())
        return
    value_of = {entry.name: entry.value for entry in survey.classes}
    for pair in survey.pairs:
        if pair.objects is not None:
            yield pair.split, {value_of[item.class_name] for item in pair.objects.items if item.class_name in value_of}
