"""What pixels cannot say about a mask, as a line of JSON kept in the same file: kind, classes, scores, spacing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassEntry, ClassTable
from microtome.core.errors import InputError
from microtome.core.raster import InstanceMap, SemanticMap

__all__ = ["KEYWORD", "Form", "Kind", "Mask", "Note", "Writer", "parse", "to_json"]

KEYWORD = "microtome"
Mask = SemanticMap | InstanceMap
Kind = Literal["semantic", "instance"]
Form = Literal["label", "palette", "colour"]


class Writer(Protocol):
    """A module that writes one form of mask."""

    def write(self, mask: Mask, path: Path) -> None:
        """Write the mask to `path`, whole or not at all."""


@dataclass(frozen=True)
class Note:
    """What was written beside the pixels. `facts` are further keyword arguments of the mask."""

    kind: Kind
    form: Form
    dtype: str
    facts: dict[str, Any] = field(default_factory=dict)

    def mask(self, pixels: NDArray[Any], path: Path) -> Mask:
        """Join the pixels with what the note says."""
        make = SemanticMap if self.kind == "semantic" else InstanceMap
        return make(np.asarray(pixels).astype(self.dtype, copy=False), source=str(path), **self.facts)


def to_json(mask: Mask, form: Form) -> str:
    """Say in one line of ASCII what the pixels cannot."""
    kind: Kind = "semantic" if isinstance(mask, SemanticMap) else "instance"
    facts: dict[str, Any] = {"kind": kind, "form": form, "dtype": mask.pixels.dtype.name, "axes": mask.axes}
    facts |= {"classes": [[entry.value, entry.name, entry.role] for entry in mask.classes]}
    if mask.spacing is not None:
        facts |= {"spacing": mask.spacing, "unit": mask.unit}
    facts |= {name: _plain(value) for name in ("origin", "direction") if (value := getattr(mask, name)) is not None}
    if isinstance(mask, InstanceMap):
        named: dict[str, Mapping[int, float]] = {"object_class": mask.object_class, "object_score": mask.object_score}
        facts |= {name: [_plain(of), _plain(of.values())] for name, of in named.items() if of}
    return json.dumps(facts, separators=(",", ":"))


def _plain(numbers: Iterable[Any]) -> list[int | float]:
    return [number.item() if isinstance(number, np.generic) else number for number in numbers]


def parse(text: str | None, path: Path) -> Note | None:
    """Read a note; None where there is none.

    Raises
    ------
    InputError
        If there is one and it is damaged.
    """
    if text is None:
        return None
    try:
        found = json.loads(text)
        facts: dict[str, Any] = {"classes": ClassTable(tuple(ClassEntry(int(v), str(n), r) for v, n, r in found["classes"]))}
        facts |= {"axes": found["axes"], "unit": found.get("unit", "px")}
        facts |= {name: tuple(found[name]) for name in ("spacing", "origin", "direction") if name in found}
        facts |= {name: dict(zip(*found[name], strict=True)) for name in ("object_class", "object_score") if name in found}
        if found["dtype"] not in ("uint8", "uint16", "int32") or found["kind"] not in ("semantic", "instance"):
            raise ValueError(f"kind {found['kind']!r} of {found['dtype']!r}")
        return Note(found["kind"], found["form"], found["dtype"], facts)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: its note on kind and classes is damaged ({error!r}); save the mask again, or strip the file's "
                         "metadata to read the bare ids") from None  # fmt: skip
