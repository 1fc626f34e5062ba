"""The reliability picture is well-formed, shows what it says, and lets no name run loose."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from microtome.core.errors import InputError
from microtome.learn.calibrate.reliability import reliability_picture
from microtome.learn.calibrate.temperature import Said, calibrate

SVG = "{http://www.w3.org/2000/svg}"


def two_groups(right):
    """0.9 sure of ten pixels, of which so many are right, in two groups."""
    truth = (np.arange(10) < right).astype(int)
    return calibrate([Said(np.full(10, 0.9), truth, name) for name in "ab"])


def test_a_curve_before_and_one_after():
    root = ET.fromstring(reliability_picture({"cell": two_groups(6)}))
    assert len(root.findall(f".//{SVG}polyline")) == 2
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert "temperature 1: 0.600 right of 20 pixels at 0.900" in titles
    assert any(title.endswith("0.600 right of 20 pixels at 0.600") for title in titles)


def test_without_a_gain_there_is_one_curve():
    root = ET.fromstring(reliability_picture({"cell": two_groups(9)}))
    assert len(root.findall(f".//{SVG}polyline")) == 1


def test_on_the_diagonal_where_it_can_be_taken_at_its_word():
    root = ET.fromstring(reliability_picture({"cell": two_groups(9)}))
    (x, y) = next((float(dot.get("cx")), float(dot.get("cy"))) for dot in root.iter(f"{SVG}circle"))
    line = next(line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray"))
    x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
    assert y == pytest.approx(y1 + (y2 - y1) * (x - x1) / (x2 - x1), abs=0.2)


def test_names_are_escaped_and_nothing_runs():
    picture = reliability_picture({"<script>alert(1)</script>": two_groups(6)})
    root = ET.fromstring(picture)
    assert {element.tag for element in root.iter()}.isdisjoint({f"{SVG}script", f"{SVG}style"})


def test_without_outputs_there_is_no_picture():
    with pytest.raises(InputError, match="no output with probabilities"):
        reliability_picture({})
