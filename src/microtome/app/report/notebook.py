"""How a `Result` shows itself in a notebook: the picture with its outlines, the first rows of the table, the warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.app.report.facts import duration
from microtome.app.report.palette import OBJECTS
from microtome.app.report.pictures import Layer, Scale, layer, outlined, to_webp, visible
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.core.result import Result
from microtome.core.table import Table

__all__ = ["result_html"]

_SIDE = 480
_ROWS = 5
_COLUMNS = 8
_CELL = "padding:2px 12px 2px 0;text-align:right;white-space:nowrap"
_QUIET = "opacity:.65;font-size:90%"


def result_html(result: Result) -> str:
    """Draw a result as a piece of HTML that needs no script, no style sheet and no other file.

    Parameters
    ----------
    result : Result
        Of `microtome.segment` or of a run. One whose masks were written to files shows its table and where they are.

    Returns
    -------
    str
        All text in it is escaped.

    Examples
    --------
    >>> print(result_html(Result("a<b.png"))[:67])
    <div style="line-height:1.45"><p style="margin:0"><b>a&lt;b.png</b>
    """
    parts = [*_head(result), *_pictures(result), *_table(result.objects), *_foot(result)]
    return f'<div style="line-height:1.45">{"".join(parts)}</div>'


def _head(result: Result) -> Iterator[str]:
    said = [_amount(name, mask, several=len(result.masks) > 1) for name, mask in result.masks.items()]
    if result.timings:
        said.append(duration(sum(result.timings.values())))
    yield f'<p style="margin:0"><b>{escape(result.name)}</b> <span style="{_QUIET}">{escape(" · ".join(said))}</span></p>'


def _amount(name: str, mask: SemanticMap | InstanceMap, *, several: bool) -> str:
    if isinstance(mask, InstanceMap):
        amount = f"{len(mask):,} object{'s' if len(mask) != 1 else ''}"
    else:
        amount = f"{np.count_nonzero(mask.foreground()) / max(mask.pixels.size, 1):.1%} foreground"
    return f"{name}: {amount}" if several else amount


def _pictures(result: Result) -> Iterator[str]:
    if not result.masks:
        return
    shape = next(iter(result.masks.values())).shape[-2:]
    size = Scale(_SIDE, 0).fit(shape)
    under: NDArray[np.uint8] = np.full(size, 24, np.uint8)
    notes: list[str] = []
    if result.image is not None:
        under, notes = visible(result.image, size)
    yield '<div style="display:flex;flex-wrap:wrap;gap:12px;margin:8px 0 4px">'
    for name, mask in result.masks.items():
        yield _figure(name, mask, under, layer(mask, size))
    yield "</div>"
    if notes:
        yield f'<p style="margin:0;{_QUIET}">{escape(" ".join(notes))}</p>'


def _figure(name: str, mask: SemanticMap | InstanceMap, under: NDArray[np.uint8], drawn: Layer) -> str:
    picture = to_webp(outlined(under, [drawn]), 85)
    legend = _legend(mask, drawn) if isinstance(mask, SemanticMap) else ""
    height, width = under.shape[:2]
    return (f'<figure style="margin:0"><img width="{width}" height="{height}" alt="{escape(name)}, outlined" '
            f'style="border-radius:6px;max-width:100%;height:auto" src="data:image/webp;base64,{picture}">{legend}</figure>')  # fmt: skip


def _legend(mask: SemanticMap, drawn: Layer) -> str:
    swatch = "display:inline-block;width:.75em;height:.75em;border-radius:2px;margin:0 .4em 0 0;background:"
    entries = (
        f'<span style="margin-right:1.2em"><span style="{swatch}{OBJECTS[colour]}"></span>{escape(mask.classes.name_of(value))}</span>'
        for value, colour in zip(drawn.ids.tolist(), drawn.colours.tolist(), strict=True)
    )
    return f'<figcaption style="{_QUIET}">{"".join(entries)}</figcaption>'


def _table(table: Table) -> Iterator[str]:
    if not len(table):
        return
    names = [name for name in table.columns if not name.startswith(("box_", "centroid_"))][:_COLUMNS]
    yield '<table style="border-collapse:collapse;font-size:90%;font-variant-numeric:tabular-nums;margin:6px 0"><thead><tr>'
    yield from (f'<th style="{_CELL};font-weight:600">{escape(name)}</th>' for name in names)
    yield "</tr></thead><tbody>"
    for row in _first_rows(table):
        yield "<tr>" + "".join(f'<td style="{_CELL}">{escape(_text(row[name]))}</td>' for name in names) + "</tr>"
    yield "</tbody></table>"
    left, hidden = len(table) - _ROWS, len(table.columns) - len(names)
    more = [f"{left:,} more row{'s' if left != 1 else ''}"] if left > 0 else []
    more += [f"{hidden} more column{'s' if hidden != 1 else ''}"] if hidden else []
    if more:
        yield f'<p style="margin:0;{_QUIET}">{" and ".join(more)} in <code>result.objects</code></p>'


def _first_rows(table: Table) -> Iterator[Mapping[str, Any]]:
    return Table({name: values[:_ROWS] for name, values in table.columns.items()}).rows()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return str(value)


def _foot(result: Result) -> Iterator[str]:
    for message in result.warnings:
        yield f'<p style="margin:2px 0">⚠ {escape(message)}</p>'
    if result.files:
        yield f'<p style="margin:0;{_QUIET}">{escape(", ".join(result.files.values()))}</p>'
