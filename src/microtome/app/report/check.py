"""The page of `microtome check`: what a data set holds, and each kind of fault with its pictures. No script, no other file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

import microtome
from microtome.app.report.build import in_order
from microtome.app.report.check_pictures import Picture, pictures_of
from microtome.app.report.pictures import to_webp
from microtome.io.whole import whole_file
from microtome.learn.data.doctor.check import Checkup
from microtome.learn.data.doctor.preview import Preview, Row
from microtome.learn.data.doctor.summary import Summary
from microtome.learn.data.problem import Problem

__all__ = ["build_check_page"]

_SHOWN = {"problem": 6, "note": 3}
_LISTED = 200
_STYLES = ("page.css", "check.css")


@dataclass(frozen=True)
class Card:
    """One finding, with its pictures."""

    finding: Problem
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Section:
    """All findings of one kind: the first with pictures, the others by name."""

    kind: str
    severity: str
    count: int
    cause: str
    remedy: str
    fixable: bool
    cards: tuple[Card, ...]
    rest: tuple[Problem, ...] = field(default_factory=tuple)
    unlisted: int = 0


def build_check_page(checkup: Checkup, path: str | os.PathLike[str], *, said: Sequence[str] = (), preview: Preview | None = None) -> Path:
    """Write one page: the summary, then each kind of problem and note with pictures of where it shows.

    Parameters
    ----------
    checkup : Checkup
    path : path
        Ending in ``.html``; the page appears whole or not at all.
    said : sequence of str
        What was assumed when the data was found.
    preview : Preview, optional
        What a network will see, shown at the end.

    Raises
    ------
    RunError
        If the disk refuses.
    """
    path = Path(path)
    style = _joined(_STYLES)
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["words"] = lambda kind: kind.replace("-", " ")
    environment.filters["place"] = lambda place: "(" + ", ".join(map(str, place)) + ")"
    page = environment.from_string(_joined(("check.html.jinja",))).generate(
        microtome=microtome.__version__,
        title=checkup.survey.dataset.root.resolve().name,
        dataset=checkup.survey.dataset,
        summary=checkup.summary,
        problems=checkup.problems,
        notes=checkup.notes,
        said=list(dict.fromkeys(said)),
        preview=preview,
        seen=[] if preview is None else [_seen(row) for row in preview.rows],
        sections=list(_sections(checkup)),
        bars=_class_bars(checkup.summary),
        sizes=_size_bars(checkup.summary),
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
    )
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page)
    return path


def _seen(row: Row) -> Picture:
    picture = row.picture()
    height, width = picture.shape[:2]
    return Picture(row.name, to_webp(picture), width, height)


def _joined(names: Sequence[str]) -> str:
    folder = resources.files("microtome.app.report") / "page"
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def _sections(checkup: Checkup) -> Iterator[Section]:
    for (kind, severity), group in groupby(checkup.findings, key=lambda finding: (finding.kind, finding.severity)):
        findings = list(group)
        shown = _SHOWN[severity]
        cards = in_order(lambda finding: Card(finding, tuple(pictures_of(checkup, finding))), findings[:shown])
        rest = findings[shown:]
        fixable = any(finding.fixable for finding in findings)
        yield Section(
            kind, severity, len(findings), findings[0].cause, findings[0].remedy, fixable, tuple(cards),
            tuple(rest[:_LISTED]), max(len(rest) - _LISTED, 0),
        )  # fmt: skip


def _class_bars(summary: Summary) -> list[dict[str, Any]]:
    """Share of pixels by class, the longest bar being the commonest class."""
    most = max((one.share for one in summary.classes), default=0) or 1
    return [
        {"value": one.value, "name": one.name, "share": one.share, "images": one.images, "width": round(100 * one.share / most, 2)}
        for one in summary.classes
    ]


@dataclass(frozen=True)
class SizeChart:
    """A histogram of areas on a logarithmic axis, in units of an SVG of 640 x 200."""

    bars: tuple[tuple[float, float, float, float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    most: int


def _size_bars(summary: Summary) -> SizeChart | None:
    if summary.objects is None or not summary.objects.histogram:
        return None
    bins = summary.objects.histogram
    edges: NDArray[np.float64] = np.log10([edge for edge, _ in bins] + [bins[-1][0] * 10**0.2])
    most = max(count for _, count in bins)
    across = 20 + 600 * (edges - edges[0]) / (edges[-1] - edges[0])
    bars = tuple(
        (round(float(left) + 1, 1), round(170 - 150 * count / most, 1), round(float(right - left) - 2, 1), round(150 * count / most, 1),
         f"{count:,} objects from {edge:g} pixels")
        for (edge, count), left, right in zip(bins, across, across[1:], strict=False)
    )  # fmt: skip
    decades = range(int(np.ceil(edges[0] - 1e-9)), int(np.floor(edges[-1] + 1e-9)) + 1)
    ticks = tuple((round(float(20 + 600 * (d - edges[0]) / (edges[-1] - edges[0])), 1), f"{10**d:,}") for d in decades)
    return SizeChart(bars, ticks, most)
