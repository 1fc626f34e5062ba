"""One class table for all images of a file, from the table each of them has."""

from __future__ import annotations

from collections.abc import Sequence

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.objects import Objects, class_table

__all__ = ["one_table"]


def one_table(images: Sequence[Objects]) -> tuple[ClassTable, int]:
    """The classes of all images together, and how many of them changed their value.

    Values stay as they are where no two images contradict each other; otherwise the names in alphabetical order count from 1.

    Examples
    --------
    >>> first = Objects((4, 4), classes=ClassTable((ClassEntry(7, "rbc"),)))
    >>> second = Objects((4, 4), classes=ClassTable((ClassEntry(7, "wbc"),)))
    >>> table, changed = one_table([first, second])
    >>> [(entry.value, entry.name) for entry in table], changed
    ([(1, 'rbc'), (2, 'wbc')], 2)
    """
    entries = {entry: None for image in images for entry in image.classes}
    by_name: dict[str, ClassEntry] = {}
    for entry in entries:
        by_name.setdefault(entry.name, entry)
    values = {entry.value for entry in entries}
    if len(by_name) == len(values) == len({(entry.value, entry.name) for entry in entries}):
        return ClassTable(tuple(sorted(by_name.values(), key=lambda entry: entry.value))), 0
    numbered = {entry.name: entry.value for entry in class_table(list(by_name))}
    table = ClassTable(tuple(ClassEntry(value, name, by_name[name].role) for name, value in numbered.items()))
    return table, sum(any(e.name == name and e.value != value for e in entries) for name, value in numbered.items())
