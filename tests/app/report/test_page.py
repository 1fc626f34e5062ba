"""The page in a browser: what a reader does with it. No error is told and nothing is fetched (see `open_page`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from microtome.app.report.build import build_report
from microtome.core.raster import InstanceMap

Open = Callable[..., Any]


@pytest.fixture
def five(run_of_five: Path, open_page: Open) -> Any:
    """The page of five images."""
    return open_page(build_report(run_of_five))


def settle(page: Any) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def column(page: Any, name: str) -> list[str]:
    """The cells of a column, of the rows in sight, from the top down."""
    return page.evaluate(
        """(name) => {
            const at = [...document.querySelectorAll(".head button")].findIndex((one) => one.firstChild.textContent === name);
            const lines = [...document.querySelectorAll(".line:not([hidden])")].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
            return lines.map((line) => line.children[at].textContent);
        }""",
        name,
    )


def choose(page: Any, name: str) -> None:
    page.locator(".card", has_text=name).click()
    page.wait_for_function("(name) => document.getElementById('image-name').textContent.includes(name)", arg=name)
    page.wait_for_function(
        "() => RUN.images[document.documentElement.dataset.shown].name === document.getElementById('image-name').textContent"
    )
    settle(page)


def click_label(page: Any, label: int) -> None:
    """Click a pixel well inside the object of this label."""
    at = page.evaluate(
        """(label) => {
            const number = view.mask.ids.indexOf(label) + 1, [height, width] = view.image.size;
            const inside = (k) => [0, 2, -2, 2 * width, -2 * width].every((by) => view.mask.numbers[k + by] === number);
            const k = [...view.mask.numbers.keys()].find(inside);
            const box = canvas.getBoundingClientRect();
            return [box.left + ((k % width) + 0.5) / width * box.width, box.top + (Math.floor(k / width) + 0.5) / height * box.height];
        }""",
        label,
    )
    page.mouse.click(*at)
    settle(page)


def test_hostile_names_are_only_text(five: Any) -> None:
    assert five.title() == "coins & <b>more</b> · microtome"
    assert five.locator(".card h3").all_text_contents()[0] == "plate1/<img src=x onerror=alert(1)>.png"
    choose(five, "plate1/<!--")
    assert five.locator("#image-name").text_content() == "plate1/<!--<script>alert(2).png"
    assert five.locator("#run").text_content().count("</script><script>alert(3)</script> was assumed") == 1
    choose(five, "broken")
    assert five.locator("#stage-message").text_content() == "<img src=x onerror=alert(4)> is no image"
    assert five.locator("canvas").is_hidden()


def test_an_object_in_the_picture_is_its_row(five: Any, labelled_coins: NDArray[np.int32]) -> None:
    for label in np.unique(labelled_coins)[[3, 17]].tolist():
        click_label(five, label)
        chosen = five.locator('.line[aria-selected="true"]')
        assert chosen.count() == 1
        assert chosen.locator("div").first.text_content() == str(label)
        area = np.count_nonzero(labelled_coins == label)
        assert f"Object {label}  ·  area {area:,} px" in five.locator("#object-line").text_content()
    five.mouse.click(1, 1)
    five.keyboard.press("Escape")
    assert five.locator('.line[aria-selected="true"]').count() == 0


def test_a_row_is_its_object_in_the_picture(five: Any) -> None:
    line = five.locator(".line").nth(4)
    label = int(line.locator("div").first.text_content())
    line.click()
    assert five.evaluate("view.mask.ids[view.chosen - 1]") == label
    five.keyboard.press("Tab")
    five.locator("#grid").focus()
    five.keyboard.press("ArrowDown")
    settle(five)
    following = int(five.locator('.line[aria-selected="true"] div').first.text_content())
    assert five.evaluate("view.mask.ids[view.chosen - 1]") == following > label


def test_a_row_of_another_image_opens_it(five: Any) -> None:
    five.locator("#scope label", has_text="all images").click()
    five.locator(".head button", has_text="area").click()
    five.locator(".head button", has_text="area").click()
    settle(five)
    five.locator('.line[aria-rowindex="2"]').click()
    five.wait_for_function("() => document.documentElement.dataset.shown === '2'")
    settle(five)
    assert five.locator("#output").input_value() == "mask"
    assert five.locator("#legend li").all_text_contents() == ["shade", "light & <b>bright</b>"]
    assert five.locator('.line[aria-selected="true"]').count() == 1


def test_columns_sort_up_down_and_back(five: Any) -> None:
    before = column(five, "label")
    head = five.locator(".head button", has_text="mean intensity")
    for direction, expected in (("ascending", False), ("descending", True)):
        head.click()
        settle(five)
        values = [float(cell) for cell in column(five, "mean intensity")]
        assert values == sorted(values, reverse=expected)
        assert five.locator(".head", has_text="mean intensity").get_attribute("aria-sort") == direction
    head.click()
    settle(five)
    assert column(five, "label") == before


def test_the_slider_moves_from_image_to_mask(five: Any) -> None:
    picture = "canvas.toDataURL()"
    five.locator("#split").fill("0")
    settle(five)
    mask = five.evaluate(picture)
    five.locator("#split").fill("1000")
    settle(five)
    assert five.evaluate(picture) != mask
    left = five.evaluate("divider.offsetLeft + 13 - canvas.offsetLeft - canvas.offsetWidth")
    assert abs(left) <= 2
    box = five.locator("#divider").bounding_box()
    five.mouse.move(box["x"] + 13, box["y"] + 40)
    five.mouse.down()
    five.mouse.move(box["x"] - 200, box["y"] + 40, steps=4)
    five.mouse.up()
    assert 0.4 < five.evaluate("view.split") < 0.9


def test_outlines_and_fills_can_be_shown_or_not(five: Any) -> None:
    five.locator("#split").fill("1000")
    pictures = set()
    for outlines in (True, False):
        for fills in (True, False):
            five.locator("#outlines").set_checked(outlines, force=True)
            five.locator("#fills").set_checked(fills, force=True)
            settle(five)
            pictures.add(five.evaluate("canvas.toDataURL()"))
    assert len(pictures) == 4


def test_arrow_keys_go_through_the_images(five: Any) -> None:
    five.locator("h1").click()
    five.keyboard.press("ArrowRight")
    five.wait_for_function("() => document.documentElement.dataset.shown === '1'")
    five.keyboard.press("ArrowLeft")
    five.wait_for_function("() => document.documentElement.dataset.shown === '0'")


def test_images_are_found_and_ordered(five: Any) -> None:
    five.locator("#sheet-filter").fill("plate2")
    assert five.locator(".card").count() == 3
    five.locator("#sheet-filter").fill("")
    five.locator("#sheet-order").select_option("trouble first")
    assert five.locator(".card h3").first.text_content() == "plate2/broken.png"


def test_an_image_without_objects_says_so(five: Any) -> None:
    choose(five, "empty")
    assert five.locator("#grid").text_content().endswith("There are no objects.")
    assert "0 objects" in five.locator("#image-facts").text_content()


def test_sizes_and_groups_are_drawn(five: Any) -> None:
    assert five.locator("#histogram .bar.back").count() > 3
    assert five.locator("#boxes .group").all_text_contents() == ["one", "two"]
    five.locator("#group-measure").select_option("object:area_px")
    assert five.locator("#boxes .box").count() >= 1
    five.locator("#log").set_checked(True, force=True)
    assert "NaN" not in five.locator("#charts").inner_html()


def test_steps_are_explained(five: Any) -> None:
    titles = five.locator("#explained-steps h3").all_text_contents()
    assert titles == ["2otsu", "3distance", "4watershed", "5kmeans"]
    assert five.locator(".cut-text").text_content() == "107"
    assert five.locator(".swatch").count() == 3
    assert (
        five.evaluate("Promise.all([...document.querySelectorAll('.drawn img')].map((one) => one.decode())).then((all) => all.length)") == 2
    )
    choose(five, "=colours")
    assert "Nothing was explained" in five.locator("#explained-steps").text_content()


@pytest.mark.parametrize("shots", [0, 1, 2])
def test_runs_without_a_result_have_a_page(tmp_path: Path, make_run: Any, make_shot: Any, open_page: Open, shots: int) -> None:
    out = make_run(tmp_path, [make_shot(f"{k}.png", more={"status": ("failed", "not done")[k]}) for k in range(shots)])
    page = open_page(build_report(out), wait="html[data-shown]" if shots else "footer")
    assert page.locator("#failures").count() == min(shots, 1)


def test_fifty_thousand_rows_keep_few_lines_and_thumbnails_are_let_go(
    tmp_path: Path, make_run: Any, make_shot: Any, open_page: Open
) -> None:
    labels = np.arange(1, 901, dtype=np.int32).reshape(30, 30).repeat(3, 0).repeat(3, 1)
    pixels = (labels % 256).astype(np.uint8)
    out = make_run(tmp_path, [make_shot(f"well {k:02d}.png", pixels, {"mask": InstanceMap(labels)}) for k in range(60)])
    page = open_page(build_report(out))
    page.locator("#scope label", has_text="all images").click()
    assert page.locator("#row-count").text_content() == "54,000 rows"
    for part in (0.3, 0.77, 1):
        page.evaluate("(part) => { grid.scrollTop = part * grid.scrollHeight }", part)
        settle(page)
        assert page.locator(".line").count() < 60
    assert column(page, "label")[-1] == "900"
    assert column(page, "image")[-1] == "well 59.png"
    shown = "() => document.querySelectorAll('#cards img[src]').length"
    assert 3 < page.evaluate(shown) < 40
    page.locator(".card").last.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.card:last-child img[src]') && !document.querySelector('.card img').src")
    assert page.evaluate(shown) < 40
