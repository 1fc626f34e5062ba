"""The page of an evaluation, in a browser: worst first, looked at closely, compared; nothing is fetched and no name becomes code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtome.app.report.build import LARGEST_PAGE
from microtome.app.report.evaluate import build_page
from microtome.app.report.outcome import COLOURS, class_colours
from microtome.app.report.palette import OBJECTS
from microtome.core.objects import Object, Objects
from microtome.core.raster import InstanceMap, SemanticMap
from microtome.io.masks import write_mask
from microtome.learn.evaluate.outputs import summary
from microtome.learn.evaluate.pairs import find_pairs
from microtome.learn.evaluate.score import evaluate_pairs

Open = Callable[..., Any]
READY = "html[data-ready]"


def squares(*corners: tuple[int, int, int, int]) -> Any:
    labels = np.zeros((64, 64), np.int32)
    for number, (top, bottom, left, right) in enumerate(corners, 1):
        labels[top:bottom, left:right] = number
    return labels


SETS = {
    "plate1/good": (squares((5, 20, 5, 20)), squares((5, 20, 5, 20))),
    "plate1/merged & <b>bold<": (squares((5, 20, 5, 40)), squares((5, 20, 5, 22), (5, 20, 23, 40))),
    "plate2/missed": (squares((40, 50, 40, 50)), squares((5, 20, 5, 20), (40, 50, 40, 50))),
    "plate2/split": (squares((5, 30, 5, 14), (5, 30, 15, 24)), squares((5, 30, 5, 30))),
}


def write_set(folder: Path, *, semantic: bool = False) -> None:
    import PIL.Image

    for name, (pred, truth) in SETS.items():
        for side, labels in (("pred", pred), ("truth/labels", truth), ("other", np.zeros_like(truth))):
            path = folder / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_mask(SemanticMap(labels.astype(np.uint8)) if semantic else InstanceMap(labels), path)
        picture = folder / "truth" / "images" / f"{name}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray((truth > 0).astype(np.uint8) * 90).save(picture)


def page_of(folder: Path, *, task: Any = "instance", against: bool = False, **more: Any) -> Path:
    pairs = find_pairs(folder / "pred", folder / "truth" / "labels", task=task, against=folder / "other" if against else None, **more)
    found = evaluate_pairs(pairs, task=task, metrics="default", workers=1)
    return build_page(folder, found, summary(found), names={"pred": "<i>mine</i>", "truth": "theirs"})


def names(page: Any) -> list[str]:
    return page.locator(".shot:not([hidden]) h3").all_text_contents()


def test_the_worst_image_stands_first_and_orders_change(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path), READY)
    assert names(page)[-1] == "plate1/good"
    assert names(page)[0] in ("plate1/merged & <b>bold<", "plate2/split")
    assert page.locator(".shot").first.locator("b").text_content() == "0"
    page.check("#turned", force=True)
    assert names(page)[0] == "plate1/good"
    page.uncheck("#turned", force=True)
    page.select_option("#key", "fp_50")
    assert names(page)[0] == "plate2/split"  # two pieces, both wrong
    page.fill("#filter", "PLATE1")
    assert sorted(names(page)) == ["plate1/good", "plate1/merged & <b>bold<"]


def test_fates_are_drawn_each_in_its_colour(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path), READY)
    shot = page.locator(".shot", has_text="plate1/merged")
    assert shot.locator("p").nth(1).text_content() == "0 of 2 matched, 2 merged"
    page.wait_for_selector(".shot .pile img")
    layers = page.evaluate("""() => Object.fromEntries(DATA.images.map((image, k) => [image.name, Object.keys(blockOf(k).results[0])]))""")
    assert layers["plate1/merged & <b>bold<"] == ["merged", "truth"]
    assert layers["plate2/missed"] == ["matched", "missed", "truth"]
    assert layers["plate2/split"] == ["split", "truth"]
    colour = page.evaluate(
        """async () => {
            const shot = [...document.querySelectorAll(".shot")].find((one) => one.textContent.includes("plate2/missed"));
            const image = shot.querySelector(".l-missed");
            await image.decode();
            const canvas = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
            canvas.drawImage(image, 0, 0);
            return [[5, 5], [10, 10], [45, 45]].map(([x, y]) => [...canvas.getImageData(x, y, 1, 1).data]);
        }"""
    )  # fmt: skip
    edge, fill, outside = colour
    assert edge == [*(int(COLOURS["missed"][k : k + 2], 16) for k in (1, 3, 5)), 255]
    assert 0 < fill[3] < 255
    assert outside[3] == 0


def test_layers_are_switched_for_all_pictures(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path), READY)
    page.wait_for_selector(".l-missed")
    page.uncheck("#layer-keys input[value=missed]", force=True)
    assert page.locator(".l-missed").first.is_hidden()
    page.locator(".shot", has_text="plate2/missed").locator("button").click()
    assert page.locator("dialog .l-missed").is_hidden()
    page.check("#zoom-keys input[value=missed]", force=True)
    assert page.locator("dialog .l-missed").is_visible()


def test_a_click_looks_closer_and_keys_go_on(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path), READY)
    order = names(page)
    page.locator(".shot button").first.click()
    assert page.locator("#zoom-name").text_content() == order[0]
    assert page.locator("#previous").is_disabled()
    page.keyboard.press("ArrowRight")
    assert page.locator("#zoom-name").text_content() == order[1]
    before = page.locator(".pane .pile").bounding_box()["width"]
    page.locator(".pane").click()
    assert page.locator(".pane .pile").bounding_box()["width"] > 2 * before
    page.locator(".pane").click()
    assert page.locator(".pane .pile").bounding_box()["width"] == pytest.approx(before, abs=2)
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()


def test_two_results_stand_side_by_side(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path, against=True), READY)
    page.locator(".shot", has_text="plate1/good").locator("button").click()
    assert page.locator(".views figcaption").all_text_contents() == ["this result: ap_50 1", "the other result: ap_50 0"]
    assert page.locator(".pane").nth(1).locator(".l-missed").count() == 1
    page.keyboard.press("Escape")
    page.select_option("#key", "change")
    assert names(page)[0] == "plate1/good"
    assert page.locator("#numbers thead").text_content().count("difference") == 1


def test_names_are_only_text_and_every_number_is_defined(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path), READY)
    assert page.title() == "i> evaluated · microtome"  # the last part of the path, as text
    row = page.locator("#numbers tr", has_text="ap_50").nth(0)
    row.locator("summary").click()
    assert "TP/(TP+FP+FN) at IoU 0.5" in row.locator("details p").text_content()
    assert "needs a score" in page.locator("#numbers tr.absent").first.text_content()


def test_classes_have_a_confusion_in_shares_and_counts(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path, semantic=True)
    page = open_page(page_of(tmp_path, task="semantic"), READY)
    cell = page.locator("#heat tbody tr").nth(1).locator("td").nth(0)
    share = cell.locator(".shares")
    assert share.is_visible()
    page.check("[name=cells][value=counts]", force=True)
    assert share.is_hidden()
    wrong = sum(int(((truth == 1) & (pred == 0)).sum()) for pred, truth in SETS.values())
    assert cell.locator(".counts").text_content() == f"{wrong:,}"
    assert "of all wrong pixels lie within 3 pixels" in page.locator("#where").text_content()
    assert page.evaluate("layers") == ["wrong", "truth", "prediction"]


def test_what_failed_and_a_missing_picture_are_told(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    (tmp_path / "pred" / "plate1" / "good.png").unlink()
    (tmp_path / "truth" / "images" / "plate2" / "missed.png").unlink()
    page = open_page(page_of(tmp_path), READY)
    assert "no prediction for good.png" in page.locator("#failures").text_content()
    page.locator(".shot", has_text="plate2/missed").locator("button").click()
    assert "No picture was found" in page.locator("#zoom-notes").text_content()


def test_nothing_scored_is_a_page_all_the_same(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    for path in (tmp_path / "pred").rglob("*.png"):
        path.unlink()
    write_mask(InstanceMap(np.ones((2, 2), np.int32)), tmp_path / "pred" / "else")
    page = open_page(page_of(tmp_path), READY)
    assert "No pair could be scored" in page.locator("main").text_content()


def test_boxes_are_drawn(tmp_path: Path, open_page: Open) -> None:
    write_set(tmp_path)
    page = open_page(page_of(tmp_path, task="boxes"), READY)
    page.wait_for_selector(".shot .pile img")
    assert page.evaluate("layers") == ["matched", "missed", "added"]


def test_five_hundred_images_stay_below_the_largest_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Previews shrink until they fit: with a tiny page even four images must."""
    import microtome.app.report.evaluate as module

    write_set(tmp_path)
    whole = page_of(tmp_path).stat().st_size
    assert whole < LARGEST_PAGE
    monkeypatch.setattr(module, "LARGEST_PAGE", 6_000)
    monkeypatch.setattr(module, "MOST_IMAGES", 3)
    small = page_of(tmp_path)
    assert small.stat().st_size < whole
    assert "The 3 worst of 4 images" in small.read_text()


def test_class_colours_differ() -> None:
    assert len(set(class_colours(18))) == 18
    assert class_colours(6) == list(OBJECTS)


def test_boxes_of_annotations_are_drawn_where_they_are() -> None:
    from microtome.app.report.outcome import _rectangle

    drawn = np.zeros((5, 5), np.uint8)
    _rectangle(drawn, (2, 2, 8, 6), Objects((10, 10), (Object(1, given_box=(2, 2, 8, 6)),)))
    assert drawn.tolist() == [[0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]
