"""A result in a notebook: one piece of HTML, escaped, with a picture."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microtome.core.classes import ClassTable
from microtome.core.raster import Image, InstanceMap, SemanticMap
from microtome.core.result import Result
from microtome.core.table import Table


class Tags(HTMLParser):
    """The tags of a piece of HTML, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_result_shows_picture_table_and_warnings(coins: NDArray[np.uint8], labelled_coins: NDArray[np.int32]) -> None:
    ids = np.unique(labelled_coins)[1:]
    table = Table({"label": ids, "area_px": np.bincount(labelled_coins.ravel())[ids], "mean_intensity": np.full(len(ids), np.nan)})
    result = Result("<b>.png", {"mask": InstanceMap(labelled_coins)}, table, Image(coins), warnings=("<script>",), timings={"read": 0.2})
    html = result._repr_html_()
    tags = Tags(html)
    assert tags.open == []
    assert (tags.found.count("img"), tags.found.count("tr")) == (1, 6)
    assert "script" not in tags.found
    assert f"{len(ids)} objects" in html
    assert not re.search(r"https?://", html)


def test_semantic_masks_name_their_classes(coins: NDArray[np.uint8]) -> None:
    mask = SemanticMap((coins > 107).astype(np.uint8), classes=ClassTable.binary("coin & more"))
    html = Result("a", {"mask": mask, "other": mask}, image=Image(coins.astype(float)))._repr_html_()
    assert html.count("coin &amp; more") == 2
    assert "% foreground" in html
    assert "percentiles" in html


def test_a_result_whose_masks_are_on_disk_says_where() -> None:
    html = Result("a.png", files={"mask": "masks/a.png"}, objects=Table({"label": np.array([1])}))._repr_html_()
    assert "masks/a.png" in html
    assert "<img" not in html
