"""The page of `microtome check`: it stands alone, says everything, and shows where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from microtome.app.report.check import build_check_page
from microtome.core.events import collect_warnings
from microtome.learn.data.doctor.check import Checkup, check
from microtome.learn.data.find import find_dataset


@pytest.fixture
def faulty(tmp_path: Path) -> Checkup:
    """Masks of 0 and 255 under names that must be escaped, one in colours, one shorter, one image gone."""
    for name in ("images", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for number in range(9):
        labels = np.zeros((70, 90), np.uint8)
        labels[15 + number : 50, 20:60] = 1
        PIL.Image.fromarray(120 * labels + np.uint8(30 + number)).save(tmp_path / "data" / "images" / f"<b>{number}.png")
        mask = 255 * labels if number else np.dstack([200 * labels] * 2 + [labels])
        PIL.Image.fromarray(mask[: 70 - 20 * (number == 4)]).save(tmp_path / "data" / "masks" / f"<b>{number}.png")
    (tmp_path / "data" / "images" / "<b>8.png").unlink()
    with collect_warnings():
        return check(find_dataset(tmp_path / "data", kind="semantic"))


def test_every_problem_is_on_the_page(faulty: Checkup, tmp_path: Path) -> None:
    page = build_check_page(faulty, tmp_path / "page.html").read_text(encoding="utf-8")
    for problem in faulty.problems:
        assert problem.file.replace("<", "&lt;").replace(">", "&gt;") in page
        assert f'id="problem-{problem.kind}"' in page
    assert "<b>0.png" not in page


def test_it_needs_no_other_file_and_runs_no_script(faulty: Checkup, tmp_path: Path) -> None:
    page = build_check_page(faulty, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.findall(r"""(?:href|src)=["'](?!#|data:)""", page)
    assert not re.findall(r"\sstyle=", page)
    assert "default-src 'none'" in page


def test_the_same_data_gives_the_same_page(faulty: Checkup, tmp_path: Path) -> None:
    one, two = build_check_page(faulty, tmp_path / "one.html"), build_check_page(faulty, tmp_path / "two.html")
    assert one.read_bytes() == two.read_bytes()


def test_a_sound_set_has_a_page_too(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "data" / name).mkdir(parents=True)
    PIL.Image.fromarray(np.arange(6400, dtype=np.uint8).reshape(80, 80)).save(tmp_path / "data" / "images" / "a.png")
    PIL.Image.fromarray(np.eye(80, dtype=np.uint8)).save(tmp_path / "data" / "masks" / "a.png")
    with collect_warnings():
        checkup = check(find_dataset(tmp_path / "data", kind="semantic"))
    assert "Nothing is wrong" in build_check_page(checkup, tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_pictures_are_drawn_and_marks_lie_on_them(
    faulty: Checkup, tmp_path: Path, open_page: Callable[..., Any], scheme: str
) -> None:
    page = open_page(build_check_page(faulty, tmp_path / "page.html"), "footer")
    page.emulate_media(color_scheme=scheme)
    cards = page.locator("#problem-mask-0-255 li")
    assert cards.count() >= 6
    drawn = page.evaluate(
        """() => [...document.querySelectorAll("#problem-mask-0-255 .pictures svg")].map((svg) => {
            const all = svg.getBoundingClientRect();
            const marks = [...svg.querySelectorAll(".mark")].map((mark) => mark.getBoundingClientRect());
            const inside = marks.every((m) => m.left + m.width / 2 >= all.left && m.left + m.width / 2 <= all.right);
            return [all.width, all.height, inside];
        })"""
    )
    assert len(drawn) == 3 * 6  # image, mask, mended
    assert all(width > 100 and height > 100 and inside for width, height, inside in drawn)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
