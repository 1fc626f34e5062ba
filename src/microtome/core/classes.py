"""The class table: what each value of a semantic map means. One table a data set, and no shifting of values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from microtome.core.errors import InputError

__all__ = ["ClassEntry", "ClassTable", "Role"]

Role = Literal["background", "thing", "stuff", "ignore"]


@dataclass(frozen=True)
class ClassEntry:
    """One class: its value in the array, its name, and the part it plays."""

    value: int
    name: str
    role: Role = "thing"


@dataclass(frozen=True)
class ClassTable:
    """The classes of a map, in order of value.

    Parameters
    ----------
    entries : tuple of ClassEntry
        Values and names are unique.

    Raises
    ------
    InputError
        If a value or a name stands twice.

    Examples
    --------
    >>> [entry.name for entry in ClassTable.binary("nucleus")]
    ['background', 'nucleus']
    """

    entries: tuple[ClassEntry, ...]

    def __post_init__(self) -> None:
        for field in ("value", "name"):
            seen = Counter(getattr(entry, field) for entry in self.entries)
            twice = sorted(str(item) for item, count in seen.items() if count > 1)
            if twice:
                raise InputError(f"class table: {field} {', '.join(twice)} stands more than once; give each class its own")

    def __iter__(self) -> Iterator[ClassEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @classmethod
    def binary(cls, name: str = "foreground") -> ClassTable:
        """Background 0 and one class 1."""
        return cls((ClassEntry(0, "background", "background"), ClassEntry(1, name)))

    @classmethod
    def numbered(cls, count: int, *, background: bool = True) -> ClassTable:
        """`count` classes valued 0..count-1; value 0 is the background unless `background` is false."""
        first = ClassEntry(0, "background", "background") if background else ClassEntry(0, "class 0", "stuff")
        return cls((first, *(ClassEntry(k, f"class {k}", "stuff") for k in range(1, count))))

    def values(self, *roles: Role) -> tuple[int, ...]:
        """The values of all classes that play one of `roles`."""
        return tuple(entry.value for entry in self.entries if entry.role in roles)

    def name_of(self, value: int) -> str:
        """The name of the class with this value, or the value itself where the table has none."""
        return next((entry.name for entry in self.entries if entry.value == value), str(value))
