"""The table: whole numbers stay whole, gaps stay gaps, nothing is dropped unsaid."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest

from microtome.app.report import columns as module
from microtome.app.report.columns import numbers_by_image, read_columns
from microtome.core.errors import InputError


def test_types_follow_the_cells(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    path.write_text("image,label,area_um2,class,edge\na.png,7,,nucleus,yes\n'=b.png,8,1.5,,\n")
    found = read_columns(path, {"a.png": 0, "=b.png": 1})
    assert [name for name, column in found.values.items() if column.dtype.kind != "i"] == ["area_um2"]
    assert found.values["image"].tolist() == [0, 1]
    assert np.isnan(found.values["area_um2"][0])
    assert found.words == {"class": ["nucleus", ""], "edge": ["yes", ""]}
    raw = zlib.decompress(base64.b64decode(found.data()))
    assert np.frombuffer(raw, "<i4", 2, 8).tolist() == [7, 8]


@pytest.mark.parametrize("text", ["", "image,group,output,label\n"])
def test_a_table_without_rows_is_a_table(tmp_path: Path, text: str) -> None:
    path = tmp_path / "objects.csv"
    path.write_text(text)
    found = read_columns(path, {})
    assert (len(found), found.rows) == (0, 0)
    assert zlib.decompress(base64.b64decode(found.data())) == b""


def test_rows_beyond_the_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 7)
    monkeypatch.setattr(module, "_CHUNK", 4)
    path = tmp_path / "objects.csv"
    path.write_text("image,label\n" + "".join(f"a,{k}\n" for k in range(30)))
    found = read_columns(path, {"a": 0})
    assert (found.values["label"].tolist(), found.rows) == (list(range(7)), 30)


def test_words_that_come_late_are_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 1)
    path = tmp_path / "objects.csv"
    path.write_text("image,label,note\na,1,\na,2,far\n")
    found = read_columns(path, {"a": 0})
    assert [found.words["note"][place] for place in found.values["note"]] == ["", "far"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("image,label\nb,1\n", "image 'b' is not in run.json"), ("image,label,x\na,1,2\na,2,two\n", "line 3: x is 'two', not a number")],
)
def test_a_table_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "objects.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_columns(path, {"a": 0})


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"objects\.csv: there is no such file"):
        read_columns(tmp_path / "objects.csv", {})


def test_numbers_of_images_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_text("image,group,status,count,note\nb,x,done,3,\n'=a,x,failed,,\n")
    assert numbers_by_image(path, ["=a", "b"]) == {"count": [None, 3.0]}
    assert numbers_by_image(tmp_path / "none.csv", ["a"]) == {}
