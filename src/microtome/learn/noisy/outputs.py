"""The ranking on disk: ``noisy.csv`` has a row an image, ``noisy_objects.csv`` a row an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from microtome.core.table import rows_to_csv
from microtome.io.whole import whole_file
from microtome.learn.noisy.judge import Judged
from microtome.learn.noisy.rank import KINDS, Doubt

__all__ = ["IMAGES", "OBJECTS", "all_doubts", "write_tables"]

IMAGES, OBJECTS = "noisy.csv", "noisy_objects.csv"


def write_tables(out: Path, judged: Sequence[Judged]) -> None:
    """Write both tables, greatest disagreement first.

    Parameters
    ----------
    out : Path
    judged : sequence of Judged
        Ranked.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    names = ["rank", "image", "group", "disagreement", *(kind.replace(" ", "_") for kind in KINDS), "objects", "fold", "predicted"]
    _write(out / IMAGES, rows_to_csv(names, _images(out, judged)))
    axes = max((len(row.place) for one in judged for row in one.rows), default=2)
    corners = [f"{axis}{end}" for end in (0, 1) for axis in "zyx"[-axes:]]
    names = ["rank", "image", "kind", "label", "found", "disagreement", "area_px", *"zyx"[-axes:], *corners]
    _write(out / OBJECTS, rows_to_csv(names, _objects(judged)))


def all_doubts(judged: Sequence[Judged]) -> list[tuple[Judged, Doubt]]:
    """The objects of all images, greatest disagreement first."""
    rows = [(one, row) for one in judged for row in one.rows]
    return sorted(rows, key=lambda pair: (-pair[1].disagreement, pair[0].entry.name, pair[1].label, pair[1].found))


def _images(out: Path, judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    for rank, one in enumerate(judged, 1):
        likely = {kind.replace(" ", "_"): count for kind, count in one.likely.items()}
        yield {"rank": rank, "image": one.entry.name, "group": one.entry.group, "disagreement": one.disagreement, **likely,
               "objects": len(one.rows), "fold": one.fold, "predicted": one.predicted.relative_to(out).as_posix()}  # fmt: skip


def _objects(judged: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    for rank, (one, row) in enumerate(all_doubts(judged), 1):
        axes = "zyx"[-len(row.place) :]
        corners = dict(zip((f"{axis}{end}" for end in (0, 1) for axis in axes), row.box, strict=True))
        yield {"rank": rank, "image": one.entry.name, "kind": row.kind, "label": row.label, "found": row.found,
               "disagreement": row.disagreement, "area_px": row.area, **dict(zip(axes, row.place, strict=True)), **corners}  # fmt: skip


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
