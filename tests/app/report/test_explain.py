"""Explanations: each kind becomes a card; damaged files are told, nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtome.app.report.explain import read_explained
from microtome.core.errors import InputError


def explained(path: Path, kind: str, **data: Any) -> dict[str, Any]:
    arrays = {name: value for name, value in data.items() if isinstance(value, np.ndarray)}
    values = {name: value for name, value in data.items() if name not in arrays}
    meta = [{"step": "1 step", "kind": kind, "about": "Why.", "arrays": {name: name for name in arrays}, "values": values}]
    np.savez(path / "a.npz", meta=np.array(json.dumps(meta)), **arrays)
    return read_explained(path / "a.npz", None, 100)[0]


def test_a_histogram_keeps_its_sum_when_bins_are_gathered(tmp_path: Path) -> None:
    card = explained(tmp_path, "histogram", counts=np.arange(1000), levels=np.arange(1000) / 10, thresholds=[12.5])
    assert sum(card["counts"]) == sum(range(1000))
    assert len(card["counts"]) == len(card["centres"]) <= 256
    assert card["thresholds"] == [12.5]


@pytest.mark.parametrize("levels", [np.arange(5.0), np.arange(6.0) - 0.5])
def test_levels_are_centres_or_edges(tmp_path: Path, levels: np.ndarray[Any, Any]) -> None:
    assert explained(tmp_path, "histogram", counts=np.ones(5), levels=levels, thresholds=2.0)["centres"] == [0, 1, 2, 3, 4]


def test_a_map_shows_the_middle_plane_and_its_range(tmp_path: Path) -> None:
    values = np.zeros((3, 40, 400))
    values[1] = np.linspace(-1, 3, 400)
    card = explained(tmp_path, "map", values=values)
    assert card["size"] == [10, 100]
    assert (card["low"], card["high"]) == pytest.approx((-1, 3), abs=0.05)


@pytest.mark.parametrize("values", [np.full((5, 5), np.nan), np.zeros((5, 5), bool), np.full((5, 5), np.inf)])
def test_a_map_of_nothing_is_drawn(tmp_path: Path, values: np.ndarray[Any, Any]) -> None:
    assert explained(tmp_path, "map", values=values)["picture"]


def test_every_marker_is_drawn_however_small(tmp_path: Path) -> None:
    labels = np.zeros((400, 400), np.int32)
    labels[3::40, 3::40] = np.arange(1, 101).reshape(10, 10)
    assert explained(tmp_path, "markers", labels=labels)["count"] == 100


def test_clusters_come_largest_first(tmp_path: Path) -> None:
    card = explained(tmp_path, "clusters", centres=np.array([[1.0], [2.0]]), sizes=np.array([5, 50]))
    assert (card["sizes"], card["centres"]) == ([50, 5], [[2.0], [1.0]])


def test_an_unknown_kind_shows_its_values(tmp_path: Path) -> None:
    assert explained(tmp_path, "tree", depth=3)["values"] == {"depth": "3"}


def test_damaged_and_missing_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 cut short")
    np.savez(tmp_path / "pickled.npz", meta=np.array([{"a": 1}], dtype=object))
    for name, message in (("bad", "is damaged"), ("pickled", "is damaged"), ("none", "there is no such file")):
        with pytest.raises(InputError, match=message):
            read_explained(tmp_path / f"{name}.npz", None, 100)
