"""The page of a training: it follows what the folder tells, loads itself anew only while training runs, and needs no other file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microtome.app.report.train import MOST_STEPS, keep_page, write_page
from microtome.core.errors import RunError
from microtome.core.raster import Image, InstanceMap
from microtome.learn.training.events import Choice, Chosen, Event, Finished, Planned, Stepped, Stopped, Validated, Warned
from microtome.learn.training.pictures import write_case, write_step
from microtome.learn.training.run_folder import record

Open = Callable[..., Any]
READY = "html[data-ready]"
HOSTILE = "plate1/<img src=x onerror=alert(1)>"


def training(run: Path, *, until: int = 2000) -> Iterator[Event]:
    """An invented training of 2000 steps whose best validation is that of step 1500."""
    image, truth = Image(np.full((48, 64), 90, np.uint8)), np.zeros((48, 64), np.int32)
    truth[8:20, 8:20] = 1
    yield Chosen((Choice("window", [48, 64], "<b>the</b> smallest image"),), {"microtome": 1, "train": {"window": [48, 64]}})
    yield Warned("2 images have no mask")
    yield Planned(2000, 100, "asked for")
    write_case(run, HOSTILE, image, InstanceMap(truth))
    for step in range(20, until + 1, 20):
        yield Stepped(step, 2000, step / 40, 2000 / step, {"mask.dice": 0.5, "mask.focal": 1.0 + step}, 1e-3, step / 2)
        if step % 100 == 0:
            score = 0.9 - abs(step - 1500) / 2000
            drawn = {HOSTILE: write_step(run, HOSTILE, step, image, InstanceMap(truth), InstanceMap(truth))}
            images = {HOSTILE: score, "b": 0.95, "c": 0.05}
            yield Validated(step, "ap_50", score, step <= 1500, {"ap_50": score, "dice": 0.5}, 0.4, images, drawn)
    if until == 2000:
        yield Finished(1500, 0.91, run / "model.zip", 1000.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "nuclei"
    folder.mkdir()
    rows = "".join(f"img{k},g{k // 2},{'val' if k < 4 else 'train'}\n" for k in range(20))
    (folder / "split.csv").write_text("name,group,split\n" + rows)
    return folder


def test_a_finished_training_is_told_whole(run: Path, open_page: Open) -> None:
    list(keep_page(run, record(run, training(run))))
    page = open_page(run / "index.html", READY)
    assert page.locator("h1").text_content() == "nuclei"
    assert page.locator(".figures dd").all_text_contents()[:2] == ["0.9100", "2,000"]
    assert page.locator(".curves h3").all_text_contents() == [
        "Losslogarithmic",
        "Score",
        "Parts of the training losslogarithmic",
        "Learning rate",
    ]
    assert page.locator(".best-text").text_content() == "0.9"
    assert page.locator("#images tbody th").all_text_contents() == ["c", HOSTILE, "b"]  # worst first
    assert page.locator("#scores tbody td").all_text_contents()[:2] == ["0.9000", "0.6500"]
    assert page.locator("#choices tbody tr").text_content().endswith("<b>the</b> smallest image")
    assert page.locator("#notes li").all_text_contents() == ["2 images have no mask"]
    assert page.locator("#split tbody tr").all_inner_texts() == ["val\t4\t2\t", "train\t16\t8\t"]
    assert "--model nuclei/model.zip" in page.locator("#next pre").text_content()
    assert page.locator('meta[http-equiv="refresh"]').count() == 0
    assert str(run.parent) not in (run / "index.html").read_text()


def test_pictures_go_from_the_first_validation_to_the_last_with_the_best(run: Path, open_page: Open) -> None:
    list(record(run, training(run)))
    page = open_page(write_page(run), READY)
    words = page.locator(".strip figcaption").all_text_contents()
    assert words[:3] == ["image", "true", "step 100, 0.2000"]
    assert words[-1] == "step 2,000, 0.6500"
    assert len(words) <= 2 + MOST_STEPS
    assert page.locator(".strip .best figcaption").text_content() == "step 1,500, 0.9000"
    sizes = page.locator(".strip img").evaluate_all("(all) => all.map((one) => [one.naturalWidth, one.naturalHeight])")
    assert sizes == [[64, 48]] * len(words)


def test_a_running_training_loads_itself_anew_and_stays_where_it_was(run: Path, open_page: Open) -> None:
    events = keep_page(run, record(run, training(run, until=800)))
    for event in events:
        if isinstance(event, Validated) and event.step == 800:
            text = (run / "index.html").read_text()
            page = open_page(run / "index.html", READY)
            break
    assert re.search(r'<meta http-equiv="refresh" content="\d+">', text)
    assert "10 min" in page.locator(".figures").text_content()  # 1200 steps at half a second
    assert page.locator("#next").count() == 0
    assert page.locator("#silent").is_hidden()
    page.evaluate("scrollTo(0, 700)")
    page.evaluate("keep()")
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("restore()")
    assert page.evaluate("scrollY") == 700
    events.close()
    text = (run / "index.html").read_text()
    assert "broken off" in text
    assert 'http-equiv="refresh"' not in text


def test_a_training_nobody_hears_of_any_more_is_told(run: Path, open_page: Open) -> None:
    going = record(run, training(run, until=800))
    for event in going:
        if isinstance(event, Validated):
            break
    path = write_page(run)
    path.write_text(re.sub(r'data-written="\d+"', 'data-written="1000"', path.read_text()))
    assert open_page(path, READY).locator("#silent").is_visible()
    going.close()


def test_a_stopped_training_says_why(run: Path) -> None:
    list(keep_page(run, record(run, iter((Planned(100, 10, "x"), Stopped(40, "no better score in 3 validations"))))))
    text = (run / "index.html").read_text()
    assert "no better score in 3 validations" in text
    assert "--resume" in text
    assert 'http-equiv="refresh"' not in text


def test_an_error_of_training_is_passed_on_and_the_page_tells_of_it(run: Path) -> None:
    def broken() -> Iterator[Event]:
        yield Planned(100, 10, "x")
        raise RunError("the loss is inf")

    with pytest.raises(RunError, match="the loss is inf"):
        list(keep_page(run, record(run, broken())))
    assert "broken off" in (run / "index.html").read_text()


def test_a_picture_outside_the_folder_or_missing_is_not_shown(run: Path, tmp_path: Path) -> None:
    import PIL.Image

    PIL.Image.new("RGB", (5, 5)).save(tmp_path / "secret.png")
    drawn = {"a": "../secret.png", "b": "pictures/b/none.png"}
    list(record(run, iter((Validated(10, "ap_50", 0.5, True, {}, 0.4, {}, drawn),))))
    assert "data:image" not in write_page(run).read_text()


def test_a_picture_of_nothing_but_noise_is_shown(run: Path) -> None:
    import PIL.Image

    (run / "pictures").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(run / "pictures" / "noise.png")
    list(record(run, iter((Validated(10, "ap_50", 0.5, True, {}, 0.4, {}, {"a": "pictures/noise.png"}),))))
    assert "data:image/jpeg" in write_page(run).read_text()


def test_a_folder_without_anything_has_a_page(run: Path, open_page: Open) -> None:
    (run / "split.csv").unlink()
    page = open_page(write_page(run), READY)
    assert page.locator(".about").text_content() == "about to begin"


def test_the_curves_of_a_long_training_are_small(run: Path) -> None:
    steps = (Stepped(k, 100_000, k / 100, 1 / k, {"a": 1 / k, "b": 2.0}, 1e-3, k / 10) for k in range(10, 100_001, 10))
    list(record(run, steps))
    assert write_page(run).stat().st_size < 300_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1500])
def test_nothing_runs_out_of_the_page_at_any_width(run: Path, browser: Any, width: int, scheme: str) -> None:
    list(record(run, training(run)))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(write_page(run).as_uri())
    page.wait_for_selector(READY, state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
